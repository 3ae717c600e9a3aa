using Pipeline.Workers.Tests.GitIndex;

namespace Pipeline.Registry.Tests.Git;

/// <summary>What this test program does as a second process.</summary>
internal static class SecondProcessRoles
{
    public static void Play(string role, string folder)
    {
        var index = new IndexFolder(folder);
        if (Environment.GetEnvironmentVariable("LEASE_SECONDS") is { } seconds)
            index.Options = index.Options with { LeaseSeconds = double.Parse(seconds, System.Globalization.CultureInfo.InvariantCulture) };
        if (Environment.GetEnvironmentVariable("GIT_REMOTE") is { } remote) index.Options = index.Options with { Remote = remote };
        if (role == "drain-slowly") index.SlowDownCommits();
        var database = TempDatabase.OpenForProcess(folder);
        using var repository = index.Open(TimeProvider.System);
        var writer = IndexedRegistry.Writer(database, repository, index.Options, "first", TimeProvider.System);
        writer.DrainAsync(CancellationToken.None).GetAwaiter().GetResult();
    }
}
