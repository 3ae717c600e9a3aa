using Microsoft.Extensions.Logging.Abstractions;
using Pipeline.Registry.Database;
using Pipeline.Registry.Failures;
using Pipeline.Workers.GitIndex;

namespace Pipeline.Registry.Tests.Git;

/// <summary>What this test program does as a second process.</summary>
internal static class SecondProcessRoles
{
    public static void Play(string role, string folder)
    {
        var index = new IndexFolder(folder);
        if (role == "drain-slowly") index.SlowDownCommits();
        var database = new SqliteDatabase(Path.Combine(folder, "registry.db"), TimeProvider.System, readers: 2);
        using var repository = index.Open(TimeProvider.System);
        var writer = new GitIndexWriter(database, repository, index.Options, new FailureLog(database, NullLogger<FailureLog>.Instance));
        writer.DrainAsync(CancellationToken.None).GetAwaiter().GetResult();
    }
}
