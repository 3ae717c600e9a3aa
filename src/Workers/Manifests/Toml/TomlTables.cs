namespace Pipeline.Workers.Manifests.Toml;

/// <summary>
/// TOML's rules on who may define and extend a table. Headers may pass through tables however they were made, save
/// closed ones, but may define each only once; a dotted key may only pass through tables that no header has defined.
/// </summary>
internal static class TomlTables
{
    /// <summary>Finds or makes the table that a header <c>[a.b.c]</c> opens.</summary>
    /// <returns>The table, or null after an error.</returns>
    public static TomlTable? OpenTable(TomlScanner scanner, TomlTable root, List<TomlKey> path, TomlSpan header)
    {
        if (PassThrough(scanner, root, path, TomlTableForm.Implied) is not { } parent)
            return null;
        var key = path[^1];
        if (!parent.TryGetValue(key.Name, out var existing))
            return AddTable(parent, key, TomlTableForm.Header, header);
        if (existing is not TomlTable { Form: TomlTableForm.Implied } table)
            return DefinedTwice(scanner, key);
        table.Form = TomlTableForm.Header;
        table.Span = header;
        return table;
    }

    /// <summary>Adds the table that a header <c>[[a.b.c]]</c> opens to its array, which the first such header makes.</summary>
    /// <returns>The table, or null after an error.</returns>
    public static TomlTable? OpenElement(TomlScanner scanner, TomlTable root, List<TomlKey> path, TomlSpan header)
    {
        if (PassThrough(scanner, root, path, TomlTableForm.Implied) is not { } parent)
            return null;
        var key = path[^1];
        if (!parent.TryGetValue(key.Name, out var existing))
            parent.Add(new TomlEntry(key.Name, key.Span, existing = new TomlArray(ofTables: true, header)));
        if (existing is not TomlArray { OfTables: true } array)
            return DefinedTwice(scanner, key);
        var element = new TomlTable(TomlTableForm.Header, parent.Depth + 1, header);
        array.Add(element);
        return element;
    }

    /// <summary>Sets <c>a.b.c = value</c> below <paramref name="table"/>: the tables on the way are made, the last key must be new.</summary>
    /// <returns>The table that gets the value, or null after an error.</returns>
    public static TomlTable? PlaceFor(TomlScanner scanner, TomlTable table, List<TomlKey> path)
    {
        if (PassThrough(scanner, table, path, TomlTableForm.Dotted) is not { } parent)
            return null;
        return parent.TryGet(path[^1].Name, out _) ? DefinedTwice(scanner, path[^1]) : parent;
    }

    private static TomlTable? PassThrough(TomlScanner scanner, TomlTable from, List<TomlKey> path, TomlTableForm making)
    {
        var table = from;
        for (var at = 0; at < path.Count - 1; at++)
        {
            var key = path[at];
            var next = table.TryGetValue(key.Name, out var existing)
                ? Enter(scanner, key, existing, making)
                : AddTable(table, key, making, key.Span);
            if (next is null)
                return null;
            table = next;
        }
        return table;
    }

    private static TomlTable? Enter(TomlScanner scanner, TomlKey key, TomlValue existing, TomlTableForm making)
    {
        if (making == TomlTableForm.Implied)
        {
            if (existing is TomlTable { Form: not TomlTableForm.Inline } named)
                return named;
            if (existing is TomlArray { OfTables: true } array)
                return (TomlTable)array[^1];
        }
        else if (existing is TomlTable { Form: TomlTableForm.Implied or TomlTableForm.Dotted } open)
        {
            open.Form = TomlTableForm.Dotted;
            return open;
        }
        scanner.Fail($"`{TomlQuote.Shorten(key.Name)}` cannot be extended here: it is {Describe(existing)}", key.Span);
        return null;
    }

    private static TomlTable AddTable(TomlTable parent, TomlKey key, TomlTableForm form, TomlSpan span)
    {
        var table = new TomlTable(form, parent.Depth + 1, span);
        parent.Add(new TomlEntry(key.Name, key.Span, table));
        return table;
    }

    private static TomlTable? DefinedTwice(TomlScanner scanner, TomlKey key)
    {
        scanner.Fail($"the key `{TomlQuote.Shorten(key.Name)}` is already defined", key.Span);
        return null;
    }

    private static string Describe(TomlValue existing) => existing switch
    {
        TomlTable { Form: TomlTableForm.Inline } => "an inline table, which is closed",
        TomlTable => "a table defined by its own header",
        TomlArray { OfTables: true } => "an array of tables",
        TomlArray => "an array",
        _ => "no table",
    };
}
