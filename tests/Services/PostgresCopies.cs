using Npgsql;
using Pipeline.Contracts;
using Pipeline.Registry.Database;

namespace Pipeline.Tests.Services;

/// <summary>Databases on the shared PostgreSQL, one per test: copies of one that this process migrated once.</summary>
public static class PostgresCopies
{
    private static readonly Lazy<Task<NpgsqlConnectionStringBuilder>> Template = new(MakeTemplateAsync);
    private static int s_count;

    /// <summary>Whether the suite runs on PostgreSQL: <c>PIPELINE_TEST_DATABASE=postgres</c>.</summary>
    public static bool AreChosen => Environment.GetEnvironmentVariable("PIPELINE_TEST_DATABASE") switch
    {
        null or "" or "sqlite" => false,
        "postgres" => true,
        var other => throw new InvalidOperationException($"PIPELINE_TEST_DATABASE is sqlite or postgres, not {other}"),
    };

    /// <summary>A migrated database of the test's own.</summary>
    public static async Task<PostgresCopy> CreateAsync()
    {
        var template = await Template.Value;
        var name = $"{template.Database}_{Interlocked.Increment(ref s_count)}";
        await ExecuteAsync(template, $"CREATE DATABASE {name} TEMPLATE {template.Database}");
        return new PostgresCopy(new NpgsqlConnectionStringBuilder(template.ConnectionString) { Database = name });
    }

    /// <summary>An empty database of the test's own.</summary>
    public static async Task<PostgresCopy> CreateEmptyAsync()
    {
        var server = await ServerAsync();
        server.Database = $"empty_{Environment.ProcessId}_{Interlocked.Increment(ref s_count)}";
        await ExecuteAsync(server, $"CREATE DATABASE {server.Database}");
        return new PostgresCopy(server);
    }

    internal static async Task ExecuteAsync(NpgsqlConnectionStringBuilder server, string sql)
    {
        // Not pooled: PostgreSQL copies no database that anybody is connected to, and an idle connection counts.
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(server.ConnectionString) { Database = "postgres", Pooling = false }.ConnectionString);
        await connection.OpenAsync();
        await using var command = connection.CreateCommand();
#pragma warning disable CA2100 // names made here
        command.CommandText = sql;
#pragma warning restore CA2100
        await command.ExecuteNonQueryAsync();
    }

    private static async Task<NpgsqlConnectionStringBuilder> MakeTemplateAsync()
    {
        var template = await ServerAsync();
        template.Database = $"test_{Environment.ProcessId}";
        await ExecuteAsync(template, $"DROP DATABASE IF EXISTS {template.Database} WITH (FORCE)");
        await ExecuteAsync(template, $"CREATE DATABASE {template.Database}");
        await using var database = new PostgresDatabase(new DatabaseOptions { Postgres = new Secret(template.ConnectionString) });
        await Migrator.MigrateAsync(database);
        return template;
    }

    private static async Task<NpgsqlConnectionStringBuilder> ServerAsync() =>
        new((await RealServices.SharedAsync("postgres"))["PIPELINE__Database__Postgres"]);
}

/// <summary>One such database; dropped in the end.</summary>
public sealed class PostgresCopy(NpgsqlConnectionStringBuilder server) : IAsyncDisposable
{
    /// <summary>How a process is configured for it.</summary>
    public DatabaseOptions Options { get; } = new() { Postgres = new Secret(server.ConnectionString), MaxConnections = 8 };

    /// <summary>Connects as one process does.</summary>
    public PostgresDatabase Open() => new(Options);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await PostgresCopies.ExecuteAsync(server, $"DROP DATABASE {server.Database} WITH (FORCE)");
}
