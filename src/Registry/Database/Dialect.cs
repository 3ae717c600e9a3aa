namespace Pipeline.Registry.Database;

/// <summary>Where the SQL of the two engines differs, by name. Everything else is written once.</summary>
public sealed class Dialect
{
    /// <summary>SQLite 3.40 or newer.</summary>
    public static readonly Dialect Sqlite = new(
        "sqlite", "", "(SELECT value FROM json_each({0}))", "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = $1",
        "SELECT MAX(id) FROM changes", SqliteDatabase.IsTransient);

    /// <summary>PostgreSQL 15 or newer.</summary>
    public static readonly Dialect Postgres = new(
        "postgres", " FOR UPDATE SKIP LOCKED", "(SELECT jsonb_array_elements_text({0}::jsonb))", "SELECT 1 WHERE to_regclass($1) IS NOT NULL",
        "SELECT changes_settled()", static e => PostgresErrors.Judge(e) != PostgresTrouble.Fault);

    private readonly string _list;

    private Dialect(string name, string skipLocked, string list, string tableExists, string changesSettled, Func<Exception, bool> isTrouble)
    {
        Name = name;
        SkipLocked = skipLocked;
        _list = list;
        TableExists = tableExists;
        ChangesSettled = changesSettled;
        IsTrouble = isTrouble;
    }

    /// <summary>The folder of the engine's migrations.</summary>
    public string Name { get; }

    /// <summary>Put behind a SELECT that claims rows, so that two claimers take different ones. SQLite has one writer and needs none.</summary>
    public string SkipLocked { get; }

    /// <summary>A query with one row if there is a table of the name in <c>$1</c>, else with none.</summary>
    internal string TableExists { get; }

    /// <summary>A query for the last change that no running transaction can still precede. SQLite has one writer: the last one committed.</summary>
    internal string ChangesSettled { get; }

    /// <summary>Whether an exception is trouble of the database itself, such as a full disk, a broken connection or a conflict, and no fault of the statement.</summary>
    internal Func<Exception, bool> IsTrouble { get; }

    /// <summary>A JSON array of arrays as rows, to be joined.</summary>
    /// <param name="parameter">The parameter's place, such as <c>$1</c>.</param>
    /// <param name="columns">The names and SQL types of the inner arrays' values, in order.</param>
    public string Rows(string parameter, params ReadOnlySpan<(string Name, string Type)> columns)
    {
        var text = new System.Text.StringBuilder("(SELECT ");
        for (var i = 0; i < columns.Length; i++)
        {
            var value = this == Sqlite ? $"json_extract(j.value, '$[{i}]')" : $"j.value ->> {i}";
            text.Append(i == 0 ? "" : ", ").Append(System.Globalization.CultureInfo.InvariantCulture, $"CAST({value} AS {columns[i].Type}) AS {columns[i].Name}");
        }

        var from = this == Sqlite ? $"json_each({parameter})" : $"jsonb_array_elements({parameter}::jsonb)";
        return text.Append(" FROM ").Append(from).Append(" j)").ToString();
    }

    /// <summary>A JSON array parameter as a set of texts, for <c>IN</c>.</summary>
    /// <param name="parameter">The parameter's place, such as <c>$1</c>.</param>
    public string TextList(string parameter) => string.Format(System.Globalization.CultureInfo.InvariantCulture, _list, parameter);
}
