using Pipeline.Registry.Git;

namespace Pipeline.Registry.Tests.Git;

/// <summary>What this test program does as a second process.</summary>
internal static class SecondProcessRoles
{
    public static void Play(string role, string folder)
    {
        if (role == "schedule")
        {
            Schedules.SchedulerProcess.Run(folder);
            return;
        }

        role.ShouldBe("commit");
        var index = new IndexFolder(folder);
        index.SlowDownCommits();
        using var repository = index.Open(TimeProvider.System);
        var session = repository.BeginWriteAsync(CancellationToken.None).GetAwaiter().GetResult();
        var commit = new IndexCommit("From a process that was killed", [new IndexUpsert("1/a", "a\n"u8.ToArray())], []);
        session.CommitAsync(null, [commit], CancellationToken.None).GetAwaiter().GetResult();
    }
}
