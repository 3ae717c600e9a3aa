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

/// <summary><c>git</c>: commits of the index writer into an index of 150,000 files, beside raw fast-import of the same commits.</summary>
internal static class GitBench
{
    /// <summary>Runs it: <c>--commits N</c> commits for each size of batch.</summary>
    public static async Task RunAsync(Arguments arguments, Report report)
    {
        var commits = arguments.Number("commits", 3000);
        var index = SyntheticIndex.Ensure();
        var folder = RepositoryRoot.NewFolder("git");
        try
        {
            var repository = Path.Combine(folder, "index.git");
            GitCommand.Text(folder, "clone", "--quiet", "--bare", index, repository);
            GitCommand.Text(repository, "update-ref", "refs/heads/master", "HEAD");
            await using var database = new SqliteDatabase(Path.Combine(folder, "database"), TimeProvider.System);
            await Migrator.MigrateAsync(database);
            var options = new GitIndexOptions { RepositoryPath = repository };
            using var gitIndex = new IndexRepository(new GitProgram("git", folder), options, TimeProvider.System, NullLogger<IndexRepository>.Instance);
            var lease = new Lease(database, GitIndexWriter.LeaseName, "bench", TimeSpan.FromSeconds(options.LeaseSeconds), TimeProvider.System);
            var failures = new FailureLog(database, NullLogger<FailureLog>.Instance);
            var writer = new GitIndexWriter(database, gitIndex, options, failures, lease, new RemoteIndex(database, new RegistryOptions(), lease), TimeProvider.System, NullLogger<GitIndexWriter>.Instance);
            var rows = new LaggingRows(database);

            await DrainAsync(writer, rows, 200, 100);
            foreach (var batch in (int[])[1000, 100, 10])
            {
                Report.Say($"batches of {batch}");
                var count = Math.Max(batch, commits * batch / 1000);
                using var tips = new TipWatcher(repository);
                var before = ProcessCpu.Own.Seconds();
                var started = Stopwatch.GetTimestamp();
                var setUp = await DrainAsync(writer, rows, count, batch);
                var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds - setUp.Seconds;
                var cpu = (ProcessCpu.Own.Seconds() - before - setUp.Cpu) * 1000 / count;
                tips.Dispose();
                var raw = ImportLimit.Measure(repository, tips.Tips);
                if (raw.Commits != count) throw new InvalidOperationException($"{count} crates lagged, {raw.Commits} commits were made");
                report.Add(new Measured($"git index, batches of {batch}: commits", count / seconds, "1/s", raw.Commits / raw.Seconds, ">= 0.8 x"));
                report.Add(new Measured($"git index, batches of {batch}: CPU per commit", cpu, "ms", raw.CpuMilliseconds));
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Makes crates lag and has them committed, batch by batch. Returns what the making cost, which is not the writer's.</summary>
    private static async Task<(double Seconds, double Cpu)> DrainAsync(GitIndexWriter writer, LaggingRows rows, int count, int batch)
    {
        double seconds = 0, cpu = 0;
        for (var left = count; left > 0; left -= batch)
        {
            var before = ProcessCpu.Own.Seconds();
            var started = Stopwatch.GetTimestamp();
            await rows.AddAsync(Math.Min(batch, left));
            seconds += Stopwatch.GetElapsedTime(started).TotalSeconds;
            cpu += ProcessCpu.Own.Seconds() - before;
            await writer.DrainAsync(CancellationToken.None);
        }

        return (seconds, cpu);
    }
}
