using System.Text;
using Pipeline.Contracts.Index;
using Pipeline.Contracts.Upstream;
using Pipeline.Registry.Database;
using Pipeline.Registry.Options;
using Pipeline.Registry.Store;
using Pipeline.Registry.Upstreams;
using Pipeline.Workers.Tests.GitIndex;
using Pipeline.Workers.Tests.Harness;

namespace Pipeline.Workers.Tests.Upstream;

/// <summary>A mirror and the git index of an upstream that it follows.</summary>
internal sealed class MirrorFixture : IAsyncDisposable
{
    public const string Name = "crates-io";

    private readonly string _folder;

    private MirrorFixture(WorkerHarness harness, string folder)
    {
        (Harness, _folder) = (harness, folder);
        Remote = new BareRemote(folder);
    }

    public WorkerHarness Harness { get; }

    /// <summary>The upstream's index; another takes its place when it is replaced.</summary>
    public BareRemote Remote { get; private set; }

    public static async Task<MirrorFixture> StartAsync(
        Func<Registry.Upstreams.Upstream, Registry.Upstreams.Upstream>? with = null, string queues = "sync-upstream commit-index render-sparse", MirrorOptions? options = null,
        UpstreamOptions? upstreams = null, MailOptions? mail = null)
    {
        var mirror = new MirrorFixture(
            await WorkerHarness.StartAsync(queues, mirror: options, upstreams: upstreams, mail: mail), Directory.CreateTempSubdirectory("upstream-").FullName);
        var upstream = new Registry.Upstreams.Upstream
        {
            Name = Name,
            IndexUrl = mirror.Remote.Repository,
            Mode = UpstreamModes.Metadata,
            EveryMicroseconds = 60 * Microseconds.Second,
            Collisions = CollisionPolicies.LocalWins,
            Removals = RemovalPolicies.Remove,
        };
        (await mirror.Harness.Database.WriteAsync(sql => UpstreamStore.AddAsync(sql, with is null ? upstream : with(upstream)))).ShouldBeTrue();
        return mirror;
    }

    /// <summary>A line as crates.io writes it.</summary>
    public static string Line(string name, string vers, bool yanked = false, string more = "", char checksum = 'a') =>
        $$"""{"name":"{{name}}","vers":"{{vers}}","deps":[],"cksum":"{{new string(checksum, 64)}}","features":{},"yanked":{{(yanked ? "true" : "false")}}{{more}}}""" + "\n";

    /// <summary>Commits crates' files to the upstream; null removes one.</summary>
    public void Commit(params (string Crate, string? Content)[] files) =>
        Remote.Edit("change", [.. files.Select(static file => (file.Crate.Contains('/', StringComparison.Ordinal) || file.Crate == "config.json" ? file.Crate : IndexPath.Of(file.Crate), file.Content))]);

    /// <summary>The upstream begins its history anew with the files it has, as a squash does; what was before is gone from it.</summary>
    public void Squash()
    {
        var commit = Remote.Git("-c", "user.name=hand", "-c", "user.email=hand@localhost", "commit-tree", "master^{tree}", "-m", "Collapse index into one commit").Trim();
        Remote.Git("update-ref", "refs/heads/master", commit);
        Remote.Git("reflog", "expire", "--expire=now", "--all");
        Remote.Git("gc", "--quiet", "--prune=now");
    }

    public Task SyncAsync(string name = Name) => Harness.DeliverAsync(new SyncUpstream(name));

    /// <summary>Renders whatever lags.</summary>
    public async Task ProjectAsync()
    {
        await Harness.DeliverAsync(new CommitIndex());
        var behind = await Harness.Database.ReadAsync(sql => sql.QueryAsync("SELECT crate_id FROM projections WHERE kind = 'sparse' AND reached < wanted", static row => row.Long(0)));
        foreach (var id in behind) await Harness.DeliverAsync(new RenderSparse(id));
    }

    public async Task<string?> SparseAsync(string crate) => await Harness.ReadAsync(StoreKeys.SparseFile(IndexPath.Of(crate)));

    public async Task<string> GitAsync(string crate) => await Harness.GitAsync("show", $"master:{IndexPath.Of(crate)}");

    /// <summary>The file that is the truth of a mirrored crate.</summary>
    public async Task<string?> TruthAsync(string crate, string source = Name)
    {
        var bytes = await Harness.Database.ReadAsync(sql => sql.FirstAsync("SELECT upstream_file FROM crates WHERE source = $2 AND name = $1 AND state = 'active'", static row => row.Bytes(0), crate, source));
        return bytes is null ? null : Encoding.UTF8.GetString(bytes);
    }

    /// <summary>The newest sync, as <c>state added changed removed equal bad</c>.</summary>
    public ValueTask<string?> LastSyncAsync() =>
        Harness.TextAsync("SELECT state || ' ' || added || ' ' || changed || ' ' || removed || ' ' || equal || ' ' || bad FROM upstream_syncs ORDER BY id DESC LIMIT 1");

    /// <summary>Forgets when things are due: what would be tried later is tried at once.</summary>
    public ValueTask<int> HurryAsync() => Harness.ExecuteAsync("UPDATE upstream_items SET next_try_at = 0");

    public async ValueTask DisposeAsync()
    {
        await Harness.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}
