using System.Globalization;
using System.Text.RegularExpressions;
using Pipeline.Registry.Database;

namespace Pipeline.Registry.Tests.Sql;

public sealed partial class MigrationTests
{
    [Fact]
    public async Task Migrating_twice_applies_each_step_once()
    {
        await using var temp = await TempDatabase.CreateAsync();

        (await Migrator.MigrateAsync(temp.Database)).ShouldBeEmpty();
        (await Migrator.RefusalAsync(temp.Database)).ShouldBeNull();
    }

    [Fact]
    public async Task An_older_schema_is_refused_with_the_missing_steps_and_the_command_that_applies_them()
    {
        await using var temp = await TempDatabase.CreateAsync();
        await temp.ExecuteAsync("DELETE FROM schema_migrations WHERE name LIKE '0002_%'");

        var refusal = await Migrator.RefusalAsync(temp.Database);

        refusal.ShouldNotBeNull();
        refusal.ShouldStartWith("the database lacks 0002_address.sql, 0002_");
        refusal.ShouldEndWith(": run `pipeline migrate` first");
        refusal.ShouldNotContain("0001");
    }

    [Theory]
    [InlineData(1, false)]
    [InlineData(2, true)]
    public async Task A_schema_is_worked_on_when_it_is_one_version_ahead_and_no_more(int ahead, bool refused)
    {
        await using var temp = await TempDatabase.CreateAsync();
        var newest = await temp.TextAsync("SELECT max(name) FROM schema_migrations");
        var next = $"{int.Parse(newest![..4], CultureInfo.InvariantCulture) + ahead:0000}_later.sql";
        await temp.ExecuteAsync("INSERT INTO schema_migrations (name, sha256, applied_at) VALUES ($1, '', 0)", next);

        (await Migrator.RefusalAsync(temp.Database) is { } refusal && refusal.Contains(next, StringComparison.Ordinal)).ShouldBe(refused);
        if (refused) await Should.ThrowAsync<InvalidOperationException>(() => Migrator.MigrateAsync(temp.Database).AsTask());
        else (await Migrator.MigrateAsync(temp.Database)).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_step_that_was_changed_after_it_was_applied_stops_the_migration()
    {
        await using var temp = await TempDatabase.CreateAsync();
        await temp.ExecuteAsync("UPDATE schema_migrations SET sha256 = 'x' WHERE name = '0001_registry.sql'");

        (await Should.ThrowAsync<InvalidOperationException>(() => Migrator.MigrateAsync(temp.Database).AsTask())).Message.ShouldBe("migration 0001_registry.sql was changed after it was applied");
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

            foreach (Match column in Added().Matches(sql)) shape.Add($"{column.Groups["name"].Value}: {column.Groups["column"].Value}");
            foreach (Match index in Index().Matches(sql)) shape.Add(Space().Replace(index.Value, " "));
        }

        return shape;
    }

    [GeneratedRegex("--.*")]
    private static partial Regex Comment();

    [GeneratedRegex(@"CREATE TABLE (?<name>\w+) \((?<columns>.*?)\n\)( WITHOUT ROWID)?;", RegexOptions.Singleline)]
    private static partial Regex Table();

    [GeneratedRegex(@"ALTER TABLE (?<name>\w+) ADD COLUMN (?<column>\w+)")]
    private static partial Regex Added();

    [GeneratedRegex(@"^\s+(?<name>[a-z_0-9]+) ", RegexOptions.Multiline)]
    private static partial Regex Column();

    [GeneratedRegex("CREATE (UNIQUE )?INDEX [^;]+;")]
    private static partial Regex Index();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Space();
}
