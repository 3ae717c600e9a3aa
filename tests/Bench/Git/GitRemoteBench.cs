using System.Diagnostics;
using Microsoft.Extensions.Logging.Abstractions;
using Pipeline.Bench.Limits;
using Pipeline.Bench.Measuring;
using Pipeline.Bench.Publishing;
using Pipeline.Registry.Database;
using Pipeline.Registry.Failures;
using Pipeline.Registry.Git;
using Pipeline.Registry.Options;
using Pipeline.Registry.Truth;
using Pipeline.Workers.GitIndex;

namespace Pipeline.Bench.Git;

/// <summary>
/// <c>gitremote</c>: batches of the index writer into an index of 150,000 files, each pushed to a remote on this machine, beside raw
/// fast-import and raw <c>git push</c> of the same commits.
/// </summary>
internal static class GitRemoteBench
{
    /// <summary>Runs it: <c>--batches N</c> of each size.</summary>
    public static async Task RunAsync(Arguments arguments, Report report)
    {
        var batches = arguments.Number("batches", 10);
        var index = SyntheticIndex.Ensure();
        var folder = RepositoryRoot.NewFolder("gitremote");
        try
        {
            var (repository, remote, other) = (Path.Combine(folder, "index.git"), Path.Combine(folder, "remote.git"), Path.Combine(folder, "other.git"));
            foreach (var copy in (string[])[repository, remote, other]) GitCommand.Text(folder, "clone", "--quiet", "--bare", index, copy);
            await using var database = new SqliteDatabase(Path.Combine(folder, "database"), TimeProvider.System);
            await Migrator.MigrateAsync(database);
            var options = new GitIndexOptions { RepositoryPath = repository, Remote = remote, GatherSeconds = 0 };
            var git = new GitProgram("git", folder);
            using var gitIndex = new IndexRepository(git, options, TimeProvider.System, NullLogger<IndexRepository>.Instance, new GitRemote(git, GitRemoteAddress.Of(options)!, options, folder));
            var lease = new Lease(database, GitIndexWriter.LeaseName, "bench", TimeSpan.FromSeconds(options.LeaseSeconds), TimeProvider.System);
            var toRemote = new RemoteIndex(database, new RegistryOptions(), lease);
            var failures = new FailureLog(database, NullLogger<FailureLog>.Instance);
            var writer = new GitIndexWriter(database, gitIndex, options, failures, lease, toRemote, TimeProvider.System, NullLogger<GitIndexWriter>.Instance);
            var rows = new LaggingRows(database);

            await DrainAsync(writer, rows, 1, 100);
            foreach (var batch in (int[])[1000, 100, 10, 1])
            {
                Report.Say($"batches of {batch}");
                using var tips = new TipWatcher(repository);
                var before = ProcessCpu.Own.Seconds();
                var (seconds, setUpCpu) = await DrainAsync(writer, rows, batches, batch);
                var cpu = (ProcessCpu.Own.Seconds() - before - setUpCpu) * 1000 / batches;
                tips.Dispose();
                if (tips.Tips.Count != batches + 1) throw new InvalidOperationException($"{batches} batches, {tips.Tips.Count - 1} tips");

                var import = ImportLimit.Measure(repository, tips.Tips);
                GitCommand.Text(repository, "push", "--quiet", other, $"{tips.Tips[0]}:refs/heads/master");
                before = ProcessCpu.Own.Seconds();
                var started = Stopwatch.GetTimestamp();
                foreach (var tip in tips.Tips.Skip(1)) GitCommand.Text(repository, "push", "--quiet", other, $"{tip}:refs/heads/master");
                var push = Stopwatch.GetElapsedTime(started).TotalSeconds;
                var pushCpu = (ProcessCpu.Own.Seconds() - before) * 1000 / batches;
                report.Add(new Measured($"git index with a remote, batches of {batch}: time of a batch", seconds * 1000 / batches, "ms", (import.Seconds + push) * 1000 / batches));
                report.Add(new Measured($"git index with a remote, batches of {batch}: CPU of a batch", cpu, "ms", (import.CpuMilliseconds * batch) + pushCpu));
                report.Add(new Measured($"raw push, batches of {batch}", push * 1000 / batches, "ms"));
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Makes crates lag and has them committed and pushed, batch by batch. Returns how long that took, and what the making cost.</summary>
    private static async Task<(double Seconds, double SetUpCpu)> DrainAsync(GitIndexWriter writer, LaggingRows rows, int batches, int batch)
    {
        double seconds = 0, cpu = 0;
        for (var i = 0; i < batches; i++)
        {
            var before = ProcessCpu.Own.Seconds();
            await rows.AddAsync(batch);
            cpu += ProcessCpu.Own.Seconds() - before;
            var started = Stopwatch.GetTimestamp();
            await writer.DrainAsync(CancellationToken.None);
            seconds += Stopwatch.GetElapsedTime(started).TotalSeconds;
        }

        return (seconds, cpu);
    }
}
