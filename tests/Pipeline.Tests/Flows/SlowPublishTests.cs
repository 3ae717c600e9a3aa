using System.Diagnostics;
using System.Net;
using Pipeline.Tests.Cargo;
using Pipeline.Tests.Generating;
using Pipeline.Tests.Serving;

namespace Pipeline.Tests.Flows;

/// <summary>Publishes that take longer than cargo listens to a silent server (cargo-client-behaviour §1.4).</summary>
public sealed class SlowPublishTests
{
    [Fact]
    public async Task A_publish_slower_than_cargos_patience_still_ends_with_its_verdict()
    {
        await using var pipeline = await PipelineProcess.StartAsync([("PIPELINE_PAUSE_AT", "manifest.decided:42")]);
        var user = await pipeline.AddUserAsync("slow");
        using var cargo = new CargoHome(pipeline.SparseIndex, user.Token);
        using var other = new CargoHome(pipeline.SparseIndex, user.Token);
        var package = cargo.NewPackage("slow-but-sure");
        var clock = Stopwatch.StartNew();

        var good = cargo.PublishAsync(package);
        var bad = other.PublishAsync(other.NewPackage("slow-and-wrong").Describe("license = \"MIT\"\n"));
        await Deadline.UntilAsync(30, async () => await UndecidedAsync(pipeline) < 2 ? "both publishes are parked" : null);
        // The same bytes while they are still being checked: this request joins that publish.
        var joined = pipeline.PublishAsync(CrateFile.Body("slow-but-sure", "0.1.0", cargo.Packaged(package)), user.Token);

        (await good).ShouldSucceed().Error.ShouldContain("Published slow-but-sure");
        clock.Elapsed.TotalSeconds.ShouldBeGreaterThan(40);
        (await bad).ShouldFail("the remote server responded with an error: missing or empty metadata fields: description.");
        (await joined).ShouldBeAccepted();
        (await pipeline.AdminAsync(HttpMethod.Get, "publishes")).GetProperty("publishes").GetArrayLength().ShouldBe(2);
        await pipeline.SettleAsync();
        (await pipeline.CommitsOfAsync("slow-but-sure")).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task A_verdict_that_comes_after_the_status_was_sent_is_read_from_the_body()
    {
        await using var pipeline = await InProcessPipeline.StartAsync(("Publish:HoldSeconds", "0"));
        var user = await pipeline.AddUserAsync("late");
        using var cargo = new CargoHome(pipeline.SparseIndex, user.Token);

        (await cargo.PublishAsync(cargo.NewPackage("late-but-good"))).ShouldSucceed().Error.ShouldContain("Published late-but-good");
        (await cargo.PublishAsync(cargo.NewPackage("late-and-wrong").Describe("")))
            .ShouldFail("the remote server responded with an error: missing or empty metadata fields: description, license.");
        var refused = await pipeline.PublishAsync(CrateFile.Body("late-and-broken", "1.0.0", [1, 2, 3]), user.Token);
        refused.Status.ShouldBe(HttpStatusCode.OK);
        refused.Text.ShouldStartWith(" ");
        refused.Detail.ShouldBe("uploaded tarball is malformed or too large when decompressed");
    }

    [Fact]
    public async Task A_publish_that_outlasts_the_tail_ends_with_a_warning_that_says_where_its_verdict_will_stand()
    {
        await using var pipeline = await PipelineProcess.StartAsync(
            [("PIPELINE_PAUSE_AT", "manifest.decided:5")], ("Publish:HoldSeconds", "0.1"), ("Publish:TailSeconds", "0.2"), ("Publish:BlankSeconds", "0.1"));
        var user = await pipeline.AddUserAsync("patient");
        using var cargo = new CargoHome(pipeline.SparseIndex, user.Token);

        var published = await cargo.PublishAsync(cargo.NewPackage("in-its-own-time"));

        published.ShouldSucceed().Error.ShouldContain($"warning: the publish is kept and still being checked; its verdict will stand at {pipeline.Url}/api/v1/publishes/");
        published.Error.ShouldContain("Published in-its-own-time");
    }

    private static async Task<long> UndecidedAsync(PipelineProcess pipeline) =>
        (await pipeline.AdminAsync(HttpMethod.Get, "status")).GetProperty("counts").GetProperty("undecided").GetInt64();
}
