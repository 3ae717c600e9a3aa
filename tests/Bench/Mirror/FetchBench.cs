using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Pipeline.Bench.Crates;
using Pipeline.Bench.Measuring;
using Pipeline.Contracts;
using Pipeline.Registry.Bus;
using Pipeline.Registry.Database;
using Pipeline.Registry.Failures;
using Pipeline.Registry.Options;
using Pipeline.Registry.Store;
using Pipeline.Registry.Telemetry;
using Pipeline.Registry.Truth;
using Pipeline.Registry.Upstreams;
using Pipeline.Workers.Fetching;

namespace Pipeline.Bench.Mirror;

/// <summary>
/// <c>fetch</c>: a full mirror fetches the files of its crates from an upstream on this machine, 8 at once, beside the same downloads hashed and
/// written, synced, to files and no more. The upstream is served by this process: its cost is in both.
/// </summary>
internal static class FetchBench
{
    private const int AtOnce = 8;

    /// <summary>Runs it.</summary>
    public static async Task RunAsync(Arguments arguments, Report report)
    {
        var count = arguments.Number("files", 5000);
        var folder = RepositoryRoot.NewFolder("fetch");
        try
        {
            Report.Say($"making {count} files");
            var files = Enumerable.Range(0, count).AsParallel().Select(static i => (Name: SampleCrates.Name("f", i), Bytes: SampleCrates.Make(SampleCrates.Name("f", i), "1.0.0"))).ToDictionary(static file => file.Name, static file => file.Bytes);
            await using var app = Serve(files);
            await app.StartAsync();
            var url = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();

            var limit = await LimitAsync(url, files, Path.Combine(folder, "plain"));
            var (seconds, cpu, peak) = await FetchAsync(url, files, folder);
            report.Add(new Measured("fetch: files per second, 8 at once", count / seconds, "1/s", count / limit.Seconds, ">= 1,000/s"));
            report.Add(new Measured("fetch: CPU per file, the upstream's included", cpu * 1000 / count, "ms", limit.Cpu * 1000 / count));
            report.Add(new Measured("fetch: peak memory, whole process", peak / 1048576.0, "MiB"));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static WebApplication Serve(Dictionary<string, byte[]> files)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        app.Run(async context =>
        {
            var bytes = files[context.Request.Path.Value!.Split('/')[1]];
            context.Response.ContentLength = bytes.Length;
            await context.Response.Body.WriteAsync(bytes);
        });
        return app;
    }

    private static async Task<(double Seconds, double Cpu)> LimitAsync(string url, Dictionary<string, byte[]> files, string folder)
    {
        Directory.CreateDirectory(folder);
        using var http = new HttpClient();
        var cpu = ProcessCpu.Own.Seconds();
        var started = Stopwatch.GetTimestamp();
        await Parallel.ForEachAsync(files.Keys, new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, async (name, stop) =>
        {
            var bytes = await http.GetByteArrayAsync(new Uri($"{url}/{name}/1.0.0/download"), stop);
            SHA256.HashData(bytes);
            using var file = File.OpenHandle(Path.Combine(folder, name), FileMode.CreateNew, FileAccess.Write, FileShare.None);
            RandomAccess.Write(file, bytes, 0);
            RandomAccess.FlushToDisk(file);
        });
        return (Stopwatch.GetElapsedTime(started).TotalSeconds, ProcessCpu.Own.Seconds() - cpu);
    }

    private static async Task<(double Seconds, double Cpu, long Peak)> FetchAsync(string url, Dictionary<string, byte[]> files, string folder)
    {
        var clock = TimeProvider.System;
        await using var database = new SqliteDatabase(Path.Combine(folder, "database"), clock);
        await Migrator.MigrateAsync(database);
        await MirrorAsync(database, url, files);
        var process = new ThisProcess(database, new StageActivity(clock), NullLogger<ThisProcess>.Instance);
        await process.EnterAsync(alone: true, "");
        var (options, store) = (new MirrorOptions { FileConcurrency = AtOnce }, new FolderStore(Path.Combine(folder, "objects")));
        using var client = new FileClient(options, clock);
        using var kept = new KeptFiles(database, new NoBells());
        await using var fetches = new FileFetches(
            database, store, new FileRows(process), client, kept, new FileEviction(database, store, options, process, clock), options,
            new FailureLog(database, NullLogger<FailureLog>.Instance), new Stages([]), clock, NullLogger<FileFetches>.Instance);

        Report.Say("fetching");
        using var memory = new PeakMemory();
        var cpu = ProcessCpu.Own.Seconds();
        var started = Stopwatch.GetTimestamp();
        fetches.Begin();
        await fetches.WhenIdleAsync();
        var took = (Stopwatch.GetElapsedTime(started).TotalSeconds, ProcessCpu.Own.Seconds() - cpu, memory.Peak);
        var done = await database.ReadAsync(static sql => sql.LongAsync("SELECT COUNT(*) FROM upstream_files WHERE state = 'kept'"));
        if (done != files.Count) throw new InvalidOperationException($"{done} of {files.Count} files were kept");
        return took;
    }

    private static Task MirrorAsync(SqliteDatabase database, string url, Dictionary<string, byte[]> files) => database.WriteAsync(async sql =>
    {
        await UpstreamStore.AddAsync(sql, new Upstream
        {
            Name = "bench",
            IndexUrl = "/nowhere",
            DlUrl = url,
            Mode = UpstreamModes.Full,
            EveryMicroseconds = Microseconds.Second * 60,
            Collisions = CollisionPolicies.LocalWins,
            Removals = RemovalPolicies.Remove,
        });
        foreach (var (name, bytes) in files)
        {
            var line = string.Create(CultureInfo.InvariantCulture, $$"""{"name":"{{name}}","vers":"1.0.0","deps":[],"cksum":"{{Checksum.OfContent(bytes)}}","features":{},"yanked":false}""") + "\n";
            await sql.ExecuteAsync(
                """
                INSERT INTO crates (source, canonical, name, revision, num_versions, default_version, last_published_at, upstream_blob, created_at, updated_at, upstream_file, served)
                VALUES ('bench', $1, $2, 1, 1, '1.0.0', 0, 'blob', now_us(), now_us(), $3, TRUE)
                """,
                CanonicalName.Of(name).Text, name, Encoding.UTF8.GetBytes(line));
        }

        return 0;
    }).AsTask();
}
