using Pipeline.Workers.Manifests.Toml;

namespace Pipeline.Workers.Manifests;

/// <summary>Reads <c>[lib]</c> and <c>[[bin]]</c>, and checks the form of <c>[[example]]</c>, <c>[[test]]</c> and <c>[[bench]]</c>.</summary>
internal static class TargetTables
{
    /// <summary>Reads one target.</summary>
    public static (string? Name, string? Path) Read(TomlValue value, ManifestShape shape)
    {
        string? name = null, path = null;
        if (shape.Table(value, "struct Product") is not { } table)
            return (name, path);
        for (var at = 0; at < table.Count; at++)
        {
            var entry = table[at];
            if (entry.Key == "name")
                name = shape.Text(entry.Value);
            else if (entry.Key == "path")
                path = shape.Text(entry.Value);
            else
                CheckUnused(table, entry, shape);
        }
        return (name, path);
    }

    /// <summary>Reads an array of targets, in manifest order.</summary>
    public static IReadOnlyList<(string? Name, string? Path)> ReadAll(TomlValue value, ManifestShape shape)
    {
        if (value is not TomlArray array)
        {
            shape.Mismatch(value, "a sequence");
            return [];
        }
        var targets = new (string?, string?)[array.Count];
        for (var at = 0; at < targets.Length; at++)
            targets[at] = Read(array[at], shape);
        return targets;
    }

    private static void CheckUnused(TomlTable table, TomlEntry entry, ManifestShape shape)
    {
        var name = entry.Key switch
        {
            "proc_macro" => "proc-macro",
            "required_features" => "required-features",
            "crate_type" => "crate-type",
            _ => entry.Key,
        };
        if (!ReferenceEquals(name, entry.Key))
            shape.OldName(table, entry, name);
        if (name is "test" or "doctest" or "bench" or "doc" or "plugin" or "proc-macro" or "harness")
            shape.Flag(entry.Value);
        else if (name is "required-features" or "crate-type")
            shape.Texts(entry.Value);
        else if (name is "edition")
            shape.Edition(entry.Value);
    }
}
