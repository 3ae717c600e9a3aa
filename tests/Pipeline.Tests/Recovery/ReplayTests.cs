using System.Diagnostics;
using System.Net;
using System.Text.Json;
using Pipeline.Tests.Generating;
using Pipeline.Tests.Serving;

namespace Pipeline.Tests.Recovery;

/// <summary>
/// Faults planted in every stage of the publish path are seen, explained and replayed from the command line, which is killed half-way: whatever was
/// published is there exactly once in the end.
/// </summary>
[Trait("Shape", "both")]
public sealed class ReplayTests : IAsyncLifetime
{
    private const int Each = 3;
    private static readonly (string Point, string Stage)[] Plants = [("tarball.read", "validate-tarball"), ("manifest.reserved", "read-manifest"), ("sparse.rendered", "render-sparse"), ("git.planned", "commit-index")];

    private readonly TempFolder _folder = new();
    private RunningPipeline _pipeline = null!;

    private string Faults => Path.Combine(_folder.Path, "faults");

    public async ValueTask InitializeAsync()
    {
        var plant = ("PIPELINE_FAIL_AT", Faults);
        _pipeline = Environment.GetEnvironmentVariable("PIPELINE_TEST_SHAPE") == "distributed"
            ? await DistributedPipeline.StartAsync(plant, ("Workers:SweepSeconds", "2"))
            : await PipelineProcess.StartAsync([plant], ("Workers:SweepSeconds", "2"));
    }

    public async ValueTask DisposeAsync()
    {
        await _pipeline.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task Faults_of_every_stage_are_seen_parked_and_replayed_and_a_replay_that_is_killed_loses_and_doubles_nothing()
    {
        var files = await PlantAsync();
        var parked = await FailuresAsync();
        parked.Select(failure => Text(failure, "stage")).Distinct().ShouldBe(["validate-tarball", "read-manifest", "render-sparse", "commit-index"], ignoreOrder: true);
        parked.ShouldAllBe(failure => Text(failure, "code") == "PlantedFaultException" && Text(failure, "kind") == "fault" && Text(failure, "trace_id") != null);
        // The git writer is about no row: it is tried again by itself, and what it is kept from shows as lag.
        parked.ShouldAllBe(failure => Text(failure, "state") == (Text(failure, "stage") == "commit-index" ? "retrying" : "parked"));
        await ShouldBeSeenAsync(parked);

        (await CliAsync("failed", "replay", "--all", "--dry-run")).ShouldContain($"{parked.Count} would be replayed; nothing was done");
        (await FailuresAsync()).Where(failure => Text(failure, "stage") != "commit-index").ShouldAllBe(failure => Text(failure, "state") == "parked");

        File.Delete(Faults);
        await KillHalfWayAsync(parked.Count);
        (await FailuresAsync()).ShouldContain(failure => Text(failure, "state") == "parked");
        var said = await CliAsync("failed", "replay", "--all", "--rate", "100/s");
        said.ShouldContain("due again");
        // A second time does no harm, whatever is still under way.
        await CliAsync("failed", "replay", "--all");

        await _pipeline.SettleAsync(60);
        await Deadline.UntilAsync(30, async () => await FailuresAsync() is { Count: > 0 } open ? string.Join('\n', open) : null);
        foreach (var (name, file) in files) await ShouldBeThereOnceAsync(name, file);
        await _pipeline.GitAsync("fsck", "--full", "--strict");
        (await _pipeline.GitAsync("rev-list", "--count", "HEAD")).Trim().ShouldBe($"{files.Count + 1}");
    }

    /// <summary>Publishes some crates for each plant, one plant after the other, and waits until each has bitten.</summary>
    private async Task<Dictionary<string, byte[]>> PlantAsync()
    {
        var user = await _pipeline.AddUserAsync();
        var files = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        foreach (var (point, stage) in Plants)
        {
            await File.WriteAllTextAsync(Faults, point + "\n");
            for (var i = 0; i < Each; i++)
            {
                var name = $"{stage}-{i}";
                files.Add(name, CrateFile.Plain(name, "1.0.0"));
                (await _pipeline.PublishAsync(CrateFile.Body(name, "1.0.0", files[name]), user.Token, ("Prefer", "respond-async"))).Status.ShouldBe(HttpStatusCode.Accepted);
            }

            var bitten = stage == "commit-index" ? 1 : Each;
            await Deadline.UntilAsync(60, async () => (await FailuresAsync($"&stage={stage}")).Count < bitten ? $"fewer than {bitten} failures of {stage}" : null);
        }

        return files;
    }

    private async Task ShouldBeSeenAsync(List<JsonElement> parked)
    {
        var status = await _pipeline.AdminAsync(HttpMethod.Get, "status");
        foreach (var stage in status.GetProperty("stages").EnumerateArray().Where(stage => Text(stage, "stage") is "validate-tarball" or "read-manifest" or "render-sparse"))
            stage.GetProperty("parked").GetInt64().ShouldBe(Each, Text(stage, "stage"));

        var failure = parked.First(failure => Text(failure, "stage") == "read-manifest");
        (await CliAsync("failed", "show", failure.GetProperty("id").ToString())).ShouldContain("its row becomes due again, and the sweep rings it");
        var publish = await CliAsync("publish", "show", Text(failure, "key")!);
        publish.ShouldContain($"read-manifest: PlantedFaultException, 1 times");
        publish.ShouldContain(Text(failure, "trace_id")!);
    }

    private async Task KillHalfWayAsync(int failures)
    {
        using var replay = Process.Start(PipelineProgram.Start(["failed", "replay", "--all", "--rate", "2/s"], [("PIPELINE_DATA", _pipeline.Data)]))!;
        await Deadline.UntilAsync(60, async () =>
        {
            replay.HasExited.ShouldBeFalse();
            var untouched = (await FailuresAsync()).Count(failure => Text(failure, "replayed_at") is null);
            return failures - untouched < 3 ? $"{failures - untouched} of {failures} replayed" : null;
        });
        replay.Kill();
        await replay.WaitForExitAsync();
    }

    private async Task<string> CliAsync(params string[] arguments)
    {
        var (code, output, error) = await PipelineProgram.RunAsync(_pipeline, arguments);
        code.ShouldBe(0, error);
        return output;
    }

    private async Task<List<JsonElement>> FailuresAsync(string filter = "") =>
        [.. (await _pipeline.AdminAsync(HttpMethod.Get, $"failures?limit=1000{filter}")).GetProperty("failures").EnumerateArray()];

    private async Task ShouldBeThereOnceAsync(string name, byte[] file)
    {
        (await _pipeline.IndexLinesAsync(name)).ShouldHaveSingleItem();
        (await _pipeline.DownloadAsync(name, "1.0.0")).ShouldBe(file);
        (await _pipeline.CommitsOfAsync(name)).ShouldBe([$"Create crate `{name}`"]);
    }

    private static string? Text(JsonElement element, string member) => element.GetProperty(member).GetString();
}
