using Pipeline.Registry.Database;
using Pipeline.Tests.Services;

namespace Pipeline.Cli.Tests;

public class MigrateCommandTests
{
    private static string[] Steps => [.. typeof(Migrator).Assembly.GetManifestResourceNames()
        .Where(name => name.StartsWith("migrations/postgres/", StringComparison.Ordinal)).Select(name => name.Split('/')[^1]).Order(StringComparer.Ordinal)];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task It_says_what_it_applied_and_makes_the_administrator_once(bool onPostgres)
    {
        await using var copy = onPostgres ? await PostgresCopies.CreateEmptyAsync() : null;
        string[] command = copy is null ? ["migrate"] : ["migrate", "--set", Setting(copy)];
        using var session = new TestSession();
        var token = Path.Combine(session.Data, "admin-token");

        (await session.RunAsync([.. command, "--data", session.Data])).ShouldBe(0);
        session.Output.ShouldBe(string.Concat(Steps.Select(step => $"applied {step}\n")) + $"the administrator's token is in {token}\n");
        var first = await File.ReadAllTextAsync(token, TestContext.Current.CancellationToken);

        using var again = new TestSession();
        File.Delete(token);
        (await again.RunAsync([.. command, "--data", session.Data])).ShouldBe(0);
        again.Output.ShouldBe("nothing to apply\n");
        File.Exists(token).ShouldBeFalse("the token of another machine's folder stays the one in use");

        using var asked = new TestSession();
        (await asked.RunAsync([.. command, "--data", session.Data, "--admin-token"])).ShouldBe(0);
        (await File.ReadAllTextAsync(token, TestContext.Current.CancellationToken)).ShouldNotBe(first);
    }

    [Theory]
    [InlineData("api")]
    [InlineData("worker")]
    [InlineData("up")]
    public async Task A_process_that_finds_an_older_schema_says_what_is_missing_and_does_not_start(string command)
    {
        await using var copy = await PostgresCopies.CreateEmptyAsync();
        using var session = new TestSession();
        (await session.RunAsync(command, "--data", session.Data, "--set", Setting(copy), "--set", "Bus:RabbitMq=amqp://a:b@127.0.0.1:1")).ShouldBe(1);
        session.Error.ShouldBe($"error: the database lacks {string.Join(", ", Steps)}: run `pipeline migrate` first\n");
        session.Output.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("Host=127.0.0.1;Port=1;Username=me;Password=S3cr3tMark;Database=x", "the database cannot be reached")]
    [InlineData("Host=127.0.0.1;Password=abc;S3cr3tMark=7", "Database:Postgres cannot be read as a connection string, such as `Host=db;Username=pipeline;Password=…;Database=pipeline`")]
    [InlineData("S3cr3tMark", "Database:Postgres cannot be read as a connection string, such as `Host=db;Username=pipeline;Password=…;Database=pipeline`")]
    public async Task A_database_that_is_not_there_is_an_error_that_keeps_its_secret(string connection, string said)
    {
        using var session = new TestSession();
        (await session.RunAsync("migrate", "--data", session.Data, "--set", $"Database:Postgres={connection}")).ShouldBe(1);
        session.Error.ShouldBe($"error: {said}\n");
    }

    private static string Setting(PostgresCopy copy) => $"Database:Postgres={copy.Options.Postgres!.Reveal()}";
}
