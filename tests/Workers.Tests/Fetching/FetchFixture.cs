using Pipeline.Contracts;
using Pipeline.Contracts.Upstream;
using Pipeline.Registry.Options;
using Pipeline.Registry.Store;
using Pipeline.Registry.Upstreams;
using Pipeline.Workers.Fetching;
using Pipeline.Workers.Tests.Harness;
using Pipeline.Workers.Tests.Tarballs;
using Pipeline.Workers.Tests.Upstream;

namespace Pipeline.Workers.Tests.Fetching;

/// <summary>A mirror, an upstream's index, and the server of its files.</summary>
internal sealed class FetchFixture : IAsyncDisposable
{
    private readonly MirrorFixture _mirror;

    private FetchFixture(MirrorFixture mirror, FileServer files) => (_mirror, Files) = (mirror, files);

    public WorkerHarness Harness => _mirror.Harness;

    public MirrorFixture Mirror => _mirror;

    public FileServer Files { get; }

    public static async Task<FetchFixture> StartAsync(string mode = UpstreamModes.Full, MirrorOptions? options = null, Func<Registry.Upstreams.Upstream, Registry.Upstreams.Upstream>? with = null)
    {
        var files = new FileServer();
        var mirror = await MirrorFixture.StartAsync(
            upstream => (with ?? (static same => same))(upstream with { Mode = mode, DlUrl = files.Dl }), "sync-upstream fetch-crate sweep update-search", options ?? new MirrorOptions { IdleSeconds = 2 });
        return new FetchFixture(mirror, files);
    }

    /// <summary>An archive as cargo packs it.</summary>
    public static byte[] Archive(string name, string num, string manifest = "") => new ArchiveBuilder()
        .File($"{name}-{num}/Cargo.toml", $"[package]\nname = \"{name}\"\nversion = \"{num}\"\n{manifest}").File($"{name}-{num}/src/lib.rs", $"// {Guid.NewGuid()}").ToGzip();

    public static string Line(string name, string num, byte[] content, string more = "") =>
        $$"""{"name":"{{name}}","vers":"{{num}}","deps":[],"cksum":"{{Checksum.OfContent(content)}}","features":{},"yanked":false{{more}}}""" + "\n";

    /// <summary>Crates with one good version each: index line and file. Returns their archives.</summary>
    public async Task<Dictionary<string, byte[]>> ServeAsync(params string[] names)
    {
        var archives = names.ToDictionary(static name => name, static name => Archive(name, "1.0.0"));
        foreach (var (name, archive) in archives) Files.File($"/{name}/1.0.0", archive);
        await IndexAsync([.. archives.Select(static pair => (pair.Key, Line(pair.Key, "1.0.0", pair.Value)))]);
        return archives;
    }

    /// <summary>Brings index files to the mirror.</summary>
    public async Task IndexAsync(params (string Crate, string? Content)[] files)
    {
        _mirror.Commit(files);
        await _mirror.SyncAsync();
    }

    /// <summary>Somebody downloads a version that is not here.</summary>
    public Task<bool> AskAsync(string name, byte[] content, string num = "1.0.0") => Harness.Database.WriteAsync(async sql =>
    {
        var id = (await sql.LongAsync("SELECT id FROM crates WHERE name = $1 AND source = $2", name, MirrorFixture.Name))!.Value;
        return await UpstreamFiles.AskAsync(sql, id, MirrorFixture.Name, name, num, Checksum.OfContent(content).ToString());
    }).AsTask();

    /// <summary>Delivers the bell and returns when nothing is being fetched any more.</summary>
    public async Task FetchAsync()
    {
        await Harness.DeliverAsync(new FetchCrate());
        await Fetches.WhenIdleAsync();
    }

    public FileFetches Fetches => (FileFetches)Harness.Services.GetService(typeof(FileFetches))!;

    public FileEviction Eviction => (FileEviction)Harness.Services.GetService(typeof(FileEviction))!;

    /// <summary>A version's state.</summary>
    public ValueTask<string?> StateAsync(string name, string num = "1.0.0") =>
        Harness.TextAsync("SELECT f.state FROM upstream_files f JOIN crates c ON c.id = f.crate_id WHERE c.name = $1 AND f.num = $2", name, num);

    /// <summary>The bytes at a file's key; null: none.</summary>
    public async Task<byte[]?> BytesAsync(string name, byte[] content, string num = "1.0.0")
    {
        var found = await Harness.Store.OpenAsync(StoreKeys.UpstreamFile(MirrorFixture.Name, name, num, Checksum.OfContent(content).ToString()));
        if (found is null) return null;
        await using (found)
        {
            var bytes = new MemoryStream();
            await found.Content.CopyToAsync(bytes);
            return bytes.ToArray();
        }
    }

    /// <summary>The open failures as <c>code name</c>, sorted.</summary>
    public async Task<List<string>> FailuresAsync()
    {
        await Harness.FailuresAsync();
        return await Harness.Database.ReadAsync(sql => sql.QueryAsync(
            "SELECT f.code || ' ' || c.name FROM failures f JOIN upstream_files u ON u.object_key = f.key JOIN crates c ON c.id = u.crate_id WHERE f.stage = 'fetch-crate' AND f.resolved_at IS NULL ORDER BY 1",
            static row => row.Text(0)));
    }

    public async ValueTask DisposeAsync()
    {
        await _mirror.DisposeAsync();
        await Files.DisposeAsync();
    }
}
