using System.Text.Json;
using Pipeline.Tests.Generating;
using Pipeline.Tests.Serving;

namespace Pipeline.Tests.Distributed;

/// <summary>Rebuilds and reconcile over a broker, PostgreSQL, S3 and a cache.</summary>
[Collection("distributed")]
public sealed class RebuildDistributedTests(DistributedShape shape)
{
    [Fact]
    public async Task Both_indexes_are_made_anew_and_the_registry_is_clean()
    {
        for (var i = 0; i < 3; i++) (await shape.Pipeline.PublishAsync(CrateFile.Body($"rebuilt-{i}", "1.0.0", CrateFile.Plain($"rebuilt-{i}", "1.0.0")), shape.User.Token)).ShouldBeAccepted();
        await shape.Pipeline.SettleAsync(60);
        var lines = await shape.Pipeline.IndexLinesAsync("rebuilt-1");

        foreach (var kind in new[] { "sparse", "git" })
        {
            var (exit, output, error) = await PipelineProgram.RunAsync(shape.Pipeline, "rebuild", kind, "--json");
            exit.ShouldBe(0, output + error);
            JsonDocument.Parse(output).RootElement.GetProperty("state").GetString().ShouldBe("done", output);
        }

        (await shape.Pipeline.IndexLinesAsync("rebuilt-1")).ShouldBe(lines);
        await shape.Pipeline.SettleAsync(60);
        var run = await ReconcileAsync();
        // What is still in flight is not judged, and a run that left something out is not clean.
        for (var tries = 0; tries < 5 && run.GetProperty("in_flight").GetInt64() > 0; tries++) run = await ReconcileAsync();
        run.GetProperty("clean").GetBoolean().ShouldBeTrue(run.GetRawText());
    }

    private async Task<JsonElement> ReconcileAsync()
    {
        var (exit, output, error) = await PipelineProgram.RunAsync(shape.Pipeline, "reconcile", "--json");
        exit.ShouldBe(0, output + error);
        return JsonDocument.Parse(output).RootElement;
    }
}
