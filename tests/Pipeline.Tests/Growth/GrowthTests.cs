using System.Text;
using System.Text.RegularExpressions;
using Pipeline.Registry.Database;
using Pipeline.Tests.Services;

namespace Pipeline.Tests.Growth;

/// <summary>
/// What a statement reads does not grow with the registry. A statement that scans a table, or searches one by an index that leaves most of it, is
/// found here, on whichever engine; so is one that nobody explained.
/// </summary>
public partial class GrowthTests
{
    // More than a page; far less than any table that grows.
    private const long MostRows = 500;

    [Fact]
    public async Task No_statement_reads_what_grows_on_SQLite()
    {
        var folder = Directory.CreateTempSubdirectory("growth-").FullName;
        try
        {
            await using var database = new SqliteDatabase(Path.Combine(folder, "registry.db"), TimeProvider.System, readers: 2);
            await Migrator.MigrateAsync(database);
            await SeededTables.FillAsync(database);
            await CheckAsync(await SqlitePlans.OfAsync(database), Dialect.Sqlite);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task No_statement_reads_what_grows_on_PostgreSQL()
    {
        await using var copy = await PostgresCopies.CreateAsync();
        await using var database = copy.Open();
        await SeededTables.FillAsync(database);
        await using var plans = await PostgresPlans.OfAsync(database, copy.Options.Postgres!.Reveal());
        await CheckAsync(plans, Dialect.Postgres);
    }

    private static async Task CheckAsync(Plans plans, Dialect dialect)
    {
        var met = await ProductStatements.MetAsync(dialect);
        // A literal that is a whole statement needs nobody who calls it.
        var unmet = ProductStatements.Literals().Where(literal => !met.Any(sql => sql.Contains(literal, StringComparison.Ordinal))).ToList();
        var findings = new StringBuilder();
        var all = met.Concat(unmet.Where(ProductStatements.IsStatement)).Order(StringComparer.Ordinal).ToList();
        foreach (var sql in all)
        {
            if (await plans.ExplainAsync(sql) is not { } read)
            {
                if (!UnexplainedSql.IsKnown(sql)) findings.AppendLine($"not explained: {Line(sql)}");
                continue;
            }

            unmet.Remove(sql);
            foreach (var one in read.Where(one => one.Rows > MostRows && !LongReads.IsAllowed(Line(sql), one.Table)).Distinct())
                findings.AppendLine($"{one.Rows} rows of {one.Table}: {one.How}\n    {Line(sql)}");
        }

        foreach (var stale in LongReads.Stale(all.ConvertAll(Line))) findings.AppendLine($"no statement has this any more, take it off the list: {stale}");
        foreach (var literal in unmet.Where(literal => !UnexplainedSql.IsKnown(literal))) findings.AppendLine($"no statement with this was met: {Line(literal)}");
        findings.ToString().ShouldBeEmpty();
    }

    private static string Line(string sql) => Spaces().Replace(sql, " ").Trim();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();
}
