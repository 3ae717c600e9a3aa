using Pipeline.Contracts.Index;
using Pipeline.Registry.Faults;
using Pipeline.Tests.Generating;
using Pipeline.Tests.Serving;

namespace Pipeline.Tests.Recovery;

/// <summary>
/// The process dies as SIGKILL ends it, at every step boundary and at random moments. The next start finishes what was parked: no
/// version is lost or doubled, no commit is empty or doubled, and whoever was told "accepted" was told the truth (design, laws 2 and 3).
/// </summary>
public sealed class KillTests
{
    [Fact]
    public async Task Killed_at_any_step_boundary_the_next_start_finishes_what_was_parked()
    {
        await using var pipeline = await PipelineProcess.StartAsync();
        var user = await pipeline.AddUserAsync();
        foreach (var point in FaultPoints.All)
        {
            var name = "at-" + point.Replace('.', '-');
            var file = CrateFile.Plain(name, "1.0.0");
            var body = CrateFile.Body(name, "1.0.0", file);
            await pipeline.KillAsync();
            // Only what is too large for the database is staged in the store.
            await pipeline.StartAgainAsync([("PIPELINE_DIE_AT", point), ("PIPELINE__Publish__ParkInDatabaseBytes", point == "intake.staged" ? "0" : "262144")]);
            var reply = await TryPublishAsync(pipeline, body, user);
            (await pipeline.ExitAsync()).ShouldNotBe(0, point);

            await pipeline.StartAgainAsync();
            await pipeline.SettleAsync();

            // Only what was not parked yet may be missing, and then nobody was told otherwise.
            var lines = await pipeline.IndexLinesAsync(name);
            if (lines is null) (point, reply?.IsAccepted ?? false).ShouldBe(("intake.staged", false));
            (await pipeline.PublishAsync(body, user.Token)).ShouldBeAccepted();
            await pipeline.SettleAsync();
            await ShouldBeThereOnceAsync(pipeline, name, file, point);
        }

        await ShouldHaveSoundIndexAsync(pipeline, FaultPoints.All.Count);
    }

    [Fact]
    public async Task Killed_at_random_moments_under_load_nothing_acknowledged_is_lost_and_nothing_is_doubled()
    {
        const int Kills = 6;
        const int Clients = 4;
        var seed = Environment.TickCount;
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        var random = new Random(seed);
        await using var pipeline = await PipelineProcess.StartAsync();
        var user = await pipeline.AddUserAsync();
        var files = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        var acknowledged = new HashSet<string>(StringComparer.Ordinal);
        for (var round = 0; round < Kills; round++)
        {
            var clients = Enumerable.Range(0, Clients).Select(client => PublishUntilKilledAsync(pipeline, user, $"r{round}-c{client}", files, acknowledged)).ToList();
            // On a busy machine the first answer takes longer than any of these moments.
            await Deadline.UntilAsync(60, () =>
            {
                lock (files) return Task.FromResult(acknowledged.Count > 0 ? null : "nothing is acknowledged yet");
            });
            await Task.Delay(random.Next(200, 1500), TestContext.Current.CancellationToken);
            await pipeline.KillAsync();
            await Task.WhenAll(clients);
            await pipeline.StartAgainAsync();
        }

        await pipeline.SettleAsync();

        var present = 0;
        foreach (var (name, file) in files)
        {
            var lines = await pipeline.IndexLinesAsync(name);
            if (lines is null) acknowledged.ShouldNotContain(name);
            else
            {
                present++;
                await ShouldBeThereOnceAsync(pipeline, name, file, $"seed {seed}");
            }
        }

        await ShouldHaveSoundIndexAsync(pipeline, present);
    }

    private static async Task PublishUntilKilledAsync(PipelineProcess pipeline, Account user, string prefix, Dictionary<string, byte[]> files, HashSet<string> acknowledged)
    {
        for (var i = 0; ; i++)
        {
            var name = $"{prefix}-n{i}";
            var file = CrateFile.Plain(name, "1.0.0");
            lock (files) files.Add(name, file);
            if (await TryPublishAsync(pipeline, CrateFile.Body(name, "1.0.0", file), user) is not { } reply) return;
            reply.ShouldBeAccepted();
            lock (files) acknowledged.Add(name);
        }
    }

    /// <summary>Publishes; null when the server died before it had answered.</summary>
    private static async Task<PublishReply?> TryPublishAsync(PipelineProcess pipeline, byte[] body, Account user)
    {
        try
        {
            return await pipeline.PublishAsync(body, user.Token);
        }
        catch (HttpRequestException)
        {
            return null;
        }
        catch (IOException)
        {
            return null;
        }
    }

    private static async Task ShouldBeThereOnceAsync(PipelineProcess pipeline, string name, byte[] file, string because)
    {
        var lines = await pipeline.IndexLinesAsync(name);
        lines.ShouldNotBeNull(because);
        lines.Length.ShouldBe(1, because);
        (await pipeline.DownloadAsync(name, "1.0.0")).ShouldBe(file, because);
        (await pipeline.CommitsOfAsync(name)).ShouldHaveSingleItem(because).ShouldMatch($"^(Create crate `{name}`|Change [0-9]+ crates)$");
        (await pipeline.GitAsync("cat-file", "blob", $"HEAD:{IndexPath.Of(name)}")).ShouldBe(lines[0] + "\n", because);
    }

    private static async Task ShouldHaveSoundIndexAsync(PipelineProcess pipeline, int crates)
    {
        await pipeline.GitAsync("fsck", "--full", "--strict");
        // One commit for config.json, and at most one for each crate: what stood in a queue shares one. None changes nothing.
        int.Parse((await pipeline.GitAsync("rev-list", "--count", "HEAD")).Trim(), System.Globalization.CultureInfo.InvariantCulture).ShouldBeInRange(2, crates + 1);
        (await pipeline.GitAsync("log", "--format=%H%x09", "--shortstat", "HEAD")).Split('\t').Skip(1).ShouldAllBe(static commit => commit.Contains("file", StringComparison.Ordinal));
        var staged = Directory.Exists(Path.Combine(pipeline.Data, "objects", "staging")) ? Directory.GetFiles(Path.Combine(pipeline.Data, "objects", "staging")).Length : 0;
        // Uploads without a row are cleared after an hour; every decided publish has cleared its own, or the sweep of the start did.
        staged.ShouldBeLessThanOrEqualTo(crates == FaultPoints.All.Count ? 1 : 24);
    }
}
