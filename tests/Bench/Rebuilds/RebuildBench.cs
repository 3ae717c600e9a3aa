using System.Diagnostics;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Pipeline.Bench.Git;
using Pipeline.Bench.Limits;
using Pipeline.Bench.Measuring;
using Pipeline.Contracts;
using Pipeline.Registry.Cdn;
using Pipeline.Registry.Database;
using Pipeline.Registry.Failures;
using Pipeline.Registry.Git;
using Pipeline.Registry.Options;
using Pipeline.Registry.Store;
using Pipeline.Registry.Telemetry;
using Pipeline.Registry.Truth;
using Pipeline.Workers.GitIndex;
using Pipeline.Workers.Rebuilds;
using Pipeline.Workers.SparseIndex;

namespace Pipeline.Bench.Rebuilds;

/// <summary>
/// <c>rebuild</c>: both indexes of a registry of 150,000 crates made anew from its SQLite database. Beside them a plain copy of the same files
/// with one sync, and a raw fast-import of the same files from disk.
/// </summary>
internal static class RebuildBench
{
    private const int Page = 1000;

    /// <summary>Runs it: <c>--crates N</c>.</summary>
    public static async Task RunAsync(Arguments arguments, Report report)
    {
        var crates = arguments.Number("crates", SyntheticIndex.Files);
        var folder = RepositoryRoot.NewFolder("rebuild");
        try
        {
            await using var database = new SqliteDatabase(Path.Combine(folder, "database"), TimeProvider.System);
            await Migrator.MigrateAsync(database);
            Report.Say($"writing {crates} crates into a database");
            await FillAsync(database, crates);

            var objects = new FolderStore(Path.Combine(folder, "objects"));
            var rebuild = new Rebuilder(database, objects, Path.Combine(folder, "index.git"));
            // The second time as the first would on a machine that has the database in memory already.
            await report.MeasureAsync("sparse index, new folder and swap", rebuild.SparseAsync, () => Copy(folder), "<= 15 s");
            await report.MeasureAsync("git index, into a repository that is gone", rebuild.GitAsync, () => Import(folder), "<= 30 s");
            await report.MeasureAsync("git index, that stands as it should", rebuild.GitAsync, null, "<= 30 s");
            await report.MeasureAsync("sparse index, over one that stands", rebuild.SparseAsync, null, "<= 15 s");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task MeasureAsync(this Report report, string name, Func<Task> work, Action? limit, string figure)
    {
        var (seconds, cpu) = await TimeAsync(work);
        var (limitSeconds, limitCpu) = limit is null ? (0, 0) : await TimeAsync(() =>
        {
            limit();
            return Task.CompletedTask;
        });
        report.Add(new Measured($"{name}: time", seconds, "s", limit is null ? null : limitSeconds, figure));
        report.Add(new Measured($"{name}: CPU", cpu, "s", limit is null ? null : limitCpu));
    }

    private static async Task<(double Seconds, double Cpu)> TimeAsync(Func<Task> work)
    {
        var (started, before) = (Stopwatch.GetTimestamp(), ProcessCpu.Own.Seconds());
        await work();
        return (Stopwatch.GetElapsedTime(started).TotalSeconds, ProcessCpu.Own.Seconds() - before);
    }

    private static void Copy(string folder)
    {
        using var copy = Process.Start("sh", ["-c", $"cp -r '{folder}/objects/index' '{folder}/copy' && sync -f '{folder}/copy'"]);
        copy.WaitForExit();
    }

    private static void Import(string folder)
    {
        var raw = Path.Combine(folder, "raw.git");
        Directory.CreateDirectory(raw);
        GitCommand.Text(raw, "init", "--quiet", "--bare", "--initial-branch=master", ".");
        var index = Path.Combine(folder, "objects", "index");
        GitCommand.Feed(
            raw,
            stream =>
            {
                stream.Write("commit refs/heads/master\ncommitter bench <bench@example.org> 1700000000 +0000\ndata 5\nIndex\n"u8);
                foreach (var file in Directory.EnumerateFiles(index, "*", SearchOption.AllDirectories))
                {
                    var content = File.ReadAllBytes(file);
                    stream.Write(Encoding.ASCII.GetBytes($"M 100644 inline {Path.GetRelativePath(index, file)}\ndata {content.Length}\n"));
                    stream.Write(content);
                    stream.Write("\n"u8);
                }

                stream.Write("\ndone\n"u8);
            },
            "-c", "core.fsync=all", "fast-import", "--quiet", "--done");
    }

    private static async Task FillAsync(SqliteDatabase database, int crates)
    {
        for (var start = 0; start < crates; start += Page)
        {
            var (from, to) = (start, Math.Min(crates, start + Page));
            await database.WriteAsync(async sql =>
            {
                for (var number = from; number < to; number++) await AddAsync(sql, number);
                return 0;
            });
        }
    }

    private static async ValueTask AddAsync(Statements sql, int number)
    {
        var (name, lines) = (SyntheticIndex.Name(number), SyntheticIndex.Lines(number));
        var crate = await sql.LongAsync(
            "INSERT INTO crates (canonical, name, revision, last_published_at, created_at, updated_at) VALUES ($1, $2, 1, now_us(), now_us(), now_us()) RETURNING id",
            CanonicalName.Of(name).Text, name);
        for (var i = 0; i < lines.Count; i++)
        {
            await sql.ExecuteAsync(
                """
                INSERT INTO versions (crate_id, num, num_no_build, sort_key, prerelease, checksum, size, object_key, entry_head, entry_tail, dependencies,
                    features, has_lib, bin_names, publish_id, published_at, updated_at)
                VALUES ($1, $2, $2, x'00', 0, '', 5120, '', $3, $4, '[]', '{}', 1, '[]', '', now_us() + $5, now_us())
                """,
                crate!.Value, $"{i}.0.0", lines[i].Head, lines[i].Tail.TrimEnd('\n'), (long)i);
        }

        await sql.ExecuteAsync(
            "INSERT INTO projections (crate_id, kind, wanted, reached, first_change) VALUES ($1, 'git', 1, 1, 0), ($1, 'sparse', 1, 1, 0)", crate!.Value);
    }

    private sealed class Rebuilder
    {
        private readonly SqliteDatabase _database;
        private readonly SparseRebuild _sparse;
        private readonly GitRebuild _git;

        public Rebuilder(SqliteDatabase database, FolderStore objects, string repository)
        {
            _database = database;
            var (options, registry, clock, bells) = (new GitIndexOptions { RepositoryPath = repository }, new RegistryOptions(), TimeProvider.System, new NoBells());
            var git = new GitProgram("git", Path.GetDirectoryName(repository)!);
            var index = new IndexRepository(git, options, clock, NullLogger<IndexRepository>.Instance);
            var lease = new Lease(database, GitIndexWriter.LeaseName, "bench", TimeSpan.FromSeconds(options.LeaseSeconds), clock);
            var writer = new GitIndexWriter(
                database, index, options, new FailureLog(database, NullLogger<FailureLog>.Instance), lease, new RemoteIndex(database, registry, lease), clock, NullLogger<GitIndexWriter>.Instance);
            var renderer = new SparseRenderer(database, objects, new ThisProcess(database, new StageActivity(clock), NullLogger<ThisProcess>.Instance), new Purges(new CdnOptions()), new IndexFiles());
            _sparse = new SparseRebuild(database, objects, renderer, registry, new WorkerOptions(), bells);
            _git = new GitRebuild(database, index, git, options, registry, writer, bells, clock);
        }

        public Task SparseAsync() => RunAsync(ProjectionKinds.Sparse, _sparse.RunAsync);

        public Task GitAsync() => RunAsync(ProjectionKinds.Git, _git.RunAsync);

        private async Task RunAsync(string kind, Func<RebuildRow, RebuildProgress, CancellationToken, Task<string>> run)
        {
            var row = await _database.WriteAsync(sql => RebuildRows.AskAsync(sql, kind, null, null, null));
            var progress = await RebuildProgress.BeginAsync(_database, row, CancellationToken.None);
            var result = await run(row, progress, CancellationToken.None);
            await _database.WriteAsync(sql => RebuildRows.EndAsync(sql, row.Id, RebuildStates.Done, result, null));
            Report.Say($"  {kind}: {result}");
        }
    }
}
