using System.Text.RegularExpressions;
using Pipeline.Registry.Database;

namespace Pipeline.Registry.Tests.Sql;

public sealed partial class MigrationTests
{
    [Fact]
    public async Task Migrating_twice_applies_each_step_once()
    {
        await using var temp = await TempDatabase.CreateAsync();

        (await Migrator.MigrateAsync(temp.Database)).ShouldBe(0);
        (await Migrator.MissingAsync(temp.Database)).ShouldBeEmpty();
    }

    [Fact]
    public void Both_engines_have_the_same_tables_columns_and_indexes()
    {
        var sqlite = Shape("sqlite");
        var postgres = Shape("postgres");

        // The change feed of PostgreSQL needs to know which transaction wrote a row; SQLite has one writer.
        postgres.Remove("changes: writer").ShouldBeTrue();
        postgres.ShouldBe(sqlite, ignoreOrder: true);
    }

    private static HashSet<string> Shape(string dialect)
    {
        var assembly = typeof(Migrator).Assembly;
        var shape = new HashSet<string>(StringComparer.Ordinal);
        foreach (var resource in assembly.GetManifestResourceNames().Where(name => name.StartsWith($"migrations/{dialect}/", StringComparison.Ordinal)))
        {
            using var reader = new StreamReader(assembly.GetManifestResourceStream(resource)!);
            var sql = Comment().Replace(reader.ReadToEnd(), "");
            foreach (Match table in Table().Matches(sql))
            {
                foreach (Match column in Column().Matches(table.Groups["columns"].Value))
                    shape.Add($"{table.Groups["name"].Value}: {column.Groups["name"].Value}");
            }

            foreach (Match index in Index().Matches(sql)) shape.Add(Space().Replace(index.Value, " "));
        }

        return shape;
    }

    [GeneratedRegex("--.*")]
    private static partial Regex Comment();

    [GeneratedRegex(@"CREATE TABLE (?<name>\w+) \((?<columns>.*?)\n\);", RegexOptions.Singleline)]
    private static partial Regex Table();

    [GeneratedRegex(@"^\s+(?<name>[a-z_0-9]+) ", RegexOptions.Multiline)]
    private static partial Regex Column();

    [GeneratedRegex("CREATE (UNIQUE )?INDEX [^;]+;")]
    private static partial Regex Index();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Space();
}
