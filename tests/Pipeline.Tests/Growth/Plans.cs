using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Npgsql;
using Pipeline.Registry.Database;

namespace Pipeline.Tests.Growth;

/// <summary>One way by which a statement comes to rows.</summary>
/// <param name="Table">The table.</param>
/// <param name="How">The engine's own words for it.</param>
/// <param name="Rows">The most rows that it can meet there in one go, among those that are seeded.</param>
internal sealed record RowsRead(string Table, string How, long Rows);

/// <summary>An index: its columns, and of a partial one what is in it.</summary>
internal sealed record TableIndex(string Table, string? Where, IReadOnlyList<string> Columns);

/// <summary>How an engine would run statements, and how many rows that reads of those that are there.</summary>
internal abstract partial class Plans(IDatabase database)
{
    private readonly Dictionary<(string, string?, string), long> _counted = [];

    protected IDatabase Database => database;

    protected Dictionary<string, TableIndex> Indexes { get; } = new(StringComparer.Ordinal);

    /// <summary>Every way by which a statement comes to rows; null: the engine does not understand it.</summary>
    public abstract Task<IReadOnlyList<RowsRead>?> ExplainAsync(string sql);

    /// <summary>The highest number that a statement has a parameter of.</summary>
    protected static int Parameters(string sql) => Parameter().Matches(sql).Select(static match => int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture)).DefaultIfEmpty(0).Max();

    /// <summary>The rows of a table, or of a part of it; the most with the same values in some columns.</summary>
    protected async Task<long> CountAsync(string table, string? where, IEnumerable<string> columns)
    {
        var by = string.Join(", ", columns);
        if (_counted.TryGetValue((table, where, by), out var known)) return known;
        var part = where is null ? table : $"{table} WHERE {where}";
        var text = by.Length == 0 ? $"SELECT COUNT(*) FROM {part}" : $"SELECT COALESCE(MAX(n), 0) FROM (SELECT COUNT(*) AS n FROM {part} GROUP BY {by}) AS groups";
        return _counted[(table, where, by)] = await database.ReadAsync(sql => sql.LongAsync(text)) ?? 0;
    }

    /// <summary>What an index reads: the rows that agree in its first columns, as far as they are asked for by equality.</summary>
    protected async Task<RowsRead> OfIndexAsync(string index, string how, int equal)
    {
        var of = Indexes[index];
        return new RowsRead(of.Table, how, await CountAsync(of.Table, of.Where, of.Columns.Take(equal)));
    }

    [GeneratedRegex(@"\$(\d+)")]
    private static partial Regex Parameter();
}

/// <summary>SQLite's.</summary>
internal sealed partial class SqlitePlans : Plans
{
    private readonly HashSet<string> _tables = new(StringComparer.Ordinal);

    private SqlitePlans(IDatabase database)
        : base(database)
    {
    }

    public static async Task<Plans> OfAsync(IDatabase database)
    {
        var plans = new SqlitePlans(database);
        var rows = await database.ReadAsync(static sql => sql.QueryAsync(
            "SELECT m.type, m.name, m.tbl_name, m.sql, (SELECT group_concat(i.name) FROM pragma_index_info(m.name) i) FROM sqlite_master m WHERE m.type IN ('table', 'index')",
            static row => (Type: row.Text(0), Name: row.Text(1), Table: row.Text(2), Sql: row.TextOrNull(3) ?? "", Columns: row.TextOrNull(4) ?? "")));
        foreach (var row in rows)
        {
            if (row.Type == "table") plans._tables.Add(row.Name);
            else plans.Indexes.Add(row.Name, new TableIndex(row.Table, row.Sql.Split(" WHERE ", 2) is [_, var where] ? where : null, row.Columns.Split(',')));
        }

        return plans;
    }

    public override async Task<IReadOnlyList<RowsRead>?> ExplainAsync(string sql)
    {
        List<string> plan;
        try
        {
            plan = await Database.ReadAsync(open => open.QueryAsync($"EXPLAIN QUERY PLAN {sql}", static row => row.Text(3), new object?[Parameters(sql)]));
        }
        catch (Microsoft.Data.Sqlite.SqliteException)
        {
            return null;
        }

        var read = new List<RowsRead>();
        foreach (var match in plan.Select(line => Line().Match(line)).Where(static match => match.Success))
        {
            var (alias, index, conditions) = (match.Groups["alias"].Value, match.Groups["index"].Value, match.Groups["conditions"].Value);
            var equal = conditions.Split(" AND ").TakeWhile(static one => one.EndsWith("=?", StringComparison.Ordinal)).Count();
            if (IsForeignKey(sql, alias)) continue;
            if (Indexes.ContainsKey(index)) read.Add(await OfIndexAsync(index, match.Value, equal));
            // A table by its own order; a query within the query stands in the plan by itself.
            else if (TableOf(sql, alias) is { } table)
                read.Add(new RowsRead(table, match.Value, (equal > 0 && match.Groups["auto"].Length == 0) || match.Value == $"SEARCH {alias}" ? 1 : await CountAsync(table, null, [])));
        }

        return read;
    }

    // The plan of an INSERT also has the check of foreign keys that point at its table, which SQLite passes over while none is violated.
    private bool IsForeignKey(string sql, string alias) => _tables.Contains(alias) && Regex.IsMatch(sql, @"^\s*INSERT\b") && !Regex.IsMatch(sql, $@"\b(FROM|JOIN|INTO)\s+{alias}\b");

    private string? TableOf(string sql, string alias) => _tables.Contains(alias) ? alias
        : Regex.Matches(sql, $@"\b(\w+)\s+(?:AS\s+)?{Regex.Escape(alias)}\b").Select(static match => match.Groups[1].Value).FirstOrDefault(_tables.Contains);

    [GeneratedRegex(@"^(SCAN|SEARCH) (?<alias>\w+)(?: USING (?<auto>AUTOMATIC )?(?:PARTIAL )?(?:COVERING )?(?:INDEX ?(?<index>\w+)?|INTEGER PRIMARY KEY)(?: \((?<conditions>.*)\))?)?")]
    private static partial Regex Line();
}

/// <summary>PostgreSQL's, for any values of the parameters.</summary>
internal sealed partial class PostgresPlans : Plans, IAsyncDisposable
{
    private readonly NpgsqlConnection _connection;

    private PostgresPlans(IDatabase database, NpgsqlConnection connection)
        : base(database) => _connection = connection;

    public static async Task<PostgresPlans> OfAsync(IDatabase database, string connectionString)
    {
        var plans = new PostgresPlans(database, new NpgsqlConnection(connectionString));
        await plans._connection.OpenAsync();
        await plans.RunAsync("SET plan_cache_mode = force_generic_plan");
        var rows = await database.ReadAsync(static sql => sql.QueryAsync(
            """
            SELECT i.indexrelid::regclass::text, i.indrelid::regclass::text, pg_get_expr(i.indpred, i.indrelid), string_agg(a.attname, ',' ORDER BY k.place)
            FROM pg_index i CROSS JOIN unnest(i.indkey) WITH ORDINALITY AS k (number, place) JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number
            JOIN pg_class c ON c.oid = i.indrelid WHERE c.relnamespace = 'public'::regnamespace GROUP BY 1, 2, 3
            """,
            static row => (Name: row.Text(0), Index: new TableIndex(row.Text(1), row.TextOrNull(2), row.Text(3).Split(',')))));
        foreach (var (name, index) in rows) plans.Indexes.Add(name, index);
        return plans;
    }

    public override async Task<IReadOnlyList<RowsRead>?> ExplainAsync(string sql)
    {
        // A limit that is not known is taken for a tenth of the rows, which no caller asks for.
        var text = Limit().Replace(sql, "$1 100");
        if (!await PrepareAsync(text, Parameters(text))) return null;
        var read = new List<RowsRead>();
        try
        {
            var nulls = string.Join(", ", Enumerable.Repeat("NULL", Parameters(text)));
            using var plan = JsonDocument.Parse((await ScalarAsync(nulls.Length == 0 ? "EXPLAIN (FORMAT JSON) EXECUTE met" : $"EXPLAIN (FORMAT JSON) EXECUTE met({nulls})"))!);
            await WalkAsync(plan.RootElement[0].GetProperty("Plan"), read);
        }
        finally
        {
            await RunAsync("DEALLOCATE met");
        }

        return read;
    }

    public ValueTask DisposeAsync() => _connection.DisposeAsync();

    // The engine says which parameter it cannot tell the type of; a number will do where a text does not.
    private async Task<bool> PrepareAsync(string text, int parameters)
    {
        foreach (var guess in (string[])["text", "bigint"])
        {
            var types = Enumerable.Repeat("unknown", parameters).ToArray();
            for (var tries = 0; tries <= parameters; tries++)
            {
                try
                {
                    await RunAsync(parameters == 0 ? $"PREPARE met AS {text}" : $"PREPARE met ({string.Join(", ", types)}) AS {text}");
                    return true;
                }
                catch (PostgresException e) when (Untyped().Match(e.MessageText) is { Success: true } match)
                {
                    types[int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture) - 1] = guess;
                }
                catch (PostgresException)
                {
                    break;
                }
            }
        }

        return false;
    }

    private async Task WalkAsync(JsonElement node, List<RowsRead> read)
    {
        var kind = node.GetProperty("Node Type").GetString()!;
        if (node.TryGetProperty("Index Name", out var index))
        {
            var condition = node.TryGetProperty("Index Cond", out var text) ? text.GetString()! : "";
            var equal = Indexes[index.GetString()!].Columns.TakeWhile(column => Regex.IsMatch(condition, $@"\b{column}\)?(::\w+)? (= |IS NULL)")).Count();
            read.Add(await OfIndexAsync(index.GetString()!, $"{kind} {index.GetString()} {condition}", equal));
        }
        else if (kind == "Seq Scan")
        {
            var table = node.GetProperty("Relation Name").GetString()!;
            read.Add(new RowsRead(table, $"{kind} {table}", await CountAsync(table, null, [])));
        }

        if (!node.TryGetProperty("Plans", out var inner)) return;
        foreach (var one in inner.EnumerateArray()) await WalkAsync(one, read);
    }

    private async Task RunAsync(string sql) => await ScalarAsync(sql);

    private async Task<string?> ScalarAsync(string sql)
    {
        await using var command = _connection.CreateCommand();
#pragma warning disable CA2100 // the product's own texts
        command.CommandText = sql;
#pragma warning restore CA2100
        return (string?)await command.ExecuteScalarAsync();
    }

    [GeneratedRegex(@"\b(LIMIT) \$\d+")]
    private static partial Regex Limit();

    [GeneratedRegex(@"could not determine data type of parameter \$(\d+)")]
    private static partial Regex Untyped();
}
