using System.Diagnostics;
using System.Globalization;
using System.Text;
using Pipeline.Bench.Git;
using Pipeline.Bench.Limits;
using Pipeline.Bench.Measuring;
using Pipeline.Contracts.Index;
using Pipeline.Registry.Database;
using Pipeline.Registry.Git;
using Pipeline.Registry.Truth;
using Pipeline.Registry.Upstreams;
using Pipeline.Workers.Upstream;

namespace Pipeline.Bench.Mirror;

/// <summary>
/// <c>mirror</c>: the first sync of an upstream index of 150,000 crates from a local clone, and a sync of 1,000 changed crates, beside
/// <c>git cat-file --batch</c> and a parse of the same blobs.
/// </summary>
internal static class MirrorBench
{
    private const int Changed = 1000;

    /// <summary>Runs it.</summary>
    public static async Task RunAsync(Arguments arguments, Report report)
    {
        var source = UpstreamIndex.Ensure();
        var folder = RepositoryRoot.NewFolder("mirror");
        try
        {
            var remote = Path.Combine(folder, "upstream.git");
            GitCommand.Text(folder, "clone", "--quiet", "--bare", source, remote);
            await using var database = new SqliteDatabase(Path.Combine(folder, "database"), TimeProvider.System);
            await Migrator.MigrateAsync(database);
            var git = new GitProgram("git", folder);
            var clone = new UpstreamClone(git, Path.Combine(folder, "clone.git"));
            var follower = new GitFollower(database, new SyncWriter(database), new SyncBells(new NoBells()));
            var lease = new Lease(database, "upstream-bench", "bench", TimeSpan.FromMinutes(10), TimeProvider.System);
            await lease.TryTakeAsync();
            await database.WriteAsync(sql => UpstreamStore.AddAsync(sql, new Upstream
            {
                Name = "bench",
                IndexUrl = remote,
                Mode = UpstreamModes.Metadata,
                EveryMicroseconds = Microseconds.Second * 60,
                Collisions = CollisionPolicies.LocalWins,
                Removals = RemovalPolicies.Remove,
            }));

            // The fetch is the network's time, and not measured: here it is a copy from this machine.
            await clone.FetchAsync(remote, TimeSpan.FromHours(1), CancellationToken.None);
            var first = await LimitAsync(clone, remote, null);
            await SyncAsync("first sync of 150,000 crates", "<= 3 x", first);
            Change(remote);
            var before = GitCommand.Text(remote, "rev-parse", "master~1").Trim();
            await clone.FetchAsync(remote, TimeSpan.FromHours(1), CancellationToken.None);
            await SyncAsync("sync of 1,000 changed crates", "<= 2 s", await LimitAsync(clone, remote, before));
            report.Add(new Measured("mirror: memory at the end, whole process", Environment.WorkingSet / 1048576.0, "MiB"));

            async Task SyncAsync(string what, string figure, (double Seconds, double Cpu, long Bytes) limit)
            {
                Report.Say(string.Create(CultureInfo.InvariantCulture, $"{what}, {limit.Bytes / 1048576} MiB"));
                var upstream = await database.ReadAsync(sql => UpstreamStore.FindAsync(sql, "bench"));
                using var memory = new PeakMemory();
                var cpu = ProcessCpu.Own.Seconds();
                var started = Stopwatch.GetTimestamp();
                if (!await follower.FollowAsync(upstream!, clone, lease, CancellationToken.None)) throw new InvalidOperationException("there was nothing to sync");
                var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
                report.Add(new Measured($"mirror: {what}", seconds, "s", limit.Seconds, figure));
                report.Add(new Measured($"mirror: {what}: CPU of this process", ProcessCpu.Own.Seconds() - cpu, "s", limit.Cpu));
                report.Add(new Measured($"mirror: {what}: peak memory", memory.Peak / 1048576.0, "MiB"));
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>What must be done at the least: every blob is read through one <c>cat-file</c> and parsed, on as many processors.</summary>
    private static async Task<(double Seconds, double Cpu, long Bytes)> LimitAsync(UpstreamClone clone, string remote, string? from)
    {
        var files = from is null
            ? await clone.TreeAsync(GitCommand.Text(remote, "rev-parse", "master").Trim(), CancellationToken.None)
            : await clone.ChangedAsync(from, GitCommand.Text(remote, "rev-parse", "master").Trim(), CancellationToken.None);
        var crates = files.Where(static file => file.BlobId is not null && IndexWalk.KindOf(file.Path) == IndexWalk.PathKind.Crate).ToList();
        var bytes = 0L;
        var cpu = ProcessCpu.Own.Seconds();
        var started = Stopwatch.GetTimestamp();
        await foreach (var blob in clone.ReadAsync(crates.ConvertAll(static file => file.BlobId!), MirroredFile.MaxBytes, CancellationToken.None))
        {
            bytes += blob.Bytes!.Length;
            if (!MirroredFile.TryRead(blob.Bytes, SyncPlan.NameOf(crates[blob.Index].Path), out _, out var reason)) throw new InvalidOperationException(reason);
        }

        return (Stopwatch.GetElapsedTime(started).TotalSeconds, ProcessCpu.Own.Seconds() - cpu, bytes);
    }

    private static void Change(string remote)
    {
        var tip = GitCommand.Text(remote, "rev-parse", "master").Trim();
        GitCommand.Feed(
            remote,
            stream =>
            {
                stream.Write(Encoding.ASCII.GetBytes($"commit refs/heads/master\ncommitter bench <bench@example.org> 1700000001 +0000\ndata 6\nChange\nfrom {tip}\n"));
                for (var i = 0; i < Changed; i++)
                {
                    var number = i * (UpstreamIndex.Crates / Changed);
                    var content = Encoding.UTF8.GetBytes(UpstreamIndex.File(number, more: 1));
                    stream.Write(Encoding.ASCII.GetBytes($"M 100644 inline {IndexPath.Of(SyntheticIndex.Name(number))}\ndata {content.Length}\n"));
                    stream.Write(content);
                    stream.Write("\n"u8);
                }

                stream.Write("\ndone\n"u8);
            },
            "fast-import", "--quiet", "--done");
    }
}
