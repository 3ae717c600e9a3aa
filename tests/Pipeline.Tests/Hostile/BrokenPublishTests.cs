using System.Diagnostics;
using System.Globalization;
using Pipeline.Tests.Generating;
using Pipeline.Tests.Serving;

namespace Pipeline.Tests.Hostile;

/// <summary>It measures time and memory of a server, so nothing else runs beside it.</summary>
[CollectionDefinition(nameof(AloneOnTheMachine), DisableParallelization = true)]
public sealed class AloneOnTheMachine;

[Collection(nameof(AloneOnTheMachine))]
public sealed class BrokenPublishTests(ITestOutputHelper output)
{
    private const int PerKind = 6;
    private const long MostGrowth = 64 * 1024 * 1024;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    [Fact]
    public async Task Every_broken_publish_is_refused_with_a_sentence_in_bounded_time_and_memory_and_the_server_goes_on()
    {
        var seed = Environment.GetEnvironmentVariable("PIPELINE_SEED") is { } given ? int.Parse(given, CultureInfo.InvariantCulture) : Random.Shared.Next();
        output.WriteLine($"PIPELINE_SEED={seed}");
        await using var pipeline = await PipelineProcess.StartAsync();
        var token = pipeline.Admin.Token;
        await WarmUpAsync(pipeline, token);

        var random = new Random(seed);
        var (before, most, slowest) = (pipeline.ResidentBytes, 0L, TimeSpan.Zero);
        for (var i = 0; i < PerKind * BrokenPublishes.Kinds.Count; i++)
        {
            var publish = BrokenPublishes.Make(i % BrokenPublishes.Kinds.Count, random);
            var (took, reply) = await FastestAsync(pipeline, publish.Body, token);
            var about = $"seed {seed}, {i}: {publish.What}: {(int)reply.Status} {reply.Text}";
            ((int)reply.Status).ShouldBeInRange(400, 499, about);
            reply.Detail.ShouldNotBeNullOrWhiteSpace(about);
            took.ShouldBeLessThan(Patience, about);
            most = Math.Max(most, pipeline.ResidentBytes - before);
            if (took > slowest) slowest = took;
        }

        output.WriteLine($"{PerKind * BrokenPublishes.Kinds.Count} publishes, slowest {slowest.TotalMilliseconds:0} ms, memory grew by at most {most / 1048576.0:0.0} MiB from {before / 1048576.0:0.0} MiB");
        most.ShouldBeLessThan(MostGrowth, $"seed {seed}");
        (await pipeline.PublishAsync(CrateFile.Body("victim", "1.0.0", CrateFile.Plain("victim", "1.0.0")), token)).ShouldBeAccepted();
        await pipeline.SettleAsync();
        (await pipeline.IndexLinesAsync("victim")).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task A_bomb_is_refused_at_the_cost_of_unpacking_what_is_allowed()
    {
        await using var pipeline = await PipelineProcess.StartAsync();
        var token = pipeline.Admin.Token;
        await WarmUpAsync(pipeline, token);
        var bomb = BrokenPublishes.Bomb();
        var (memory, time) = (pipeline.ResidentBytes, pipeline.ProcessorTime);

        var reply = await pipeline.PublishAsync(bomb, token);

        reply.Detail.ShouldBe("uploaded tarball is malformed or too large when decompressed");
        var cost = pipeline.ProcessorTime - time;
        output.WriteLine($"{bomb.Length / 1024} KiB cost {cost.TotalMilliseconds:0} ms of a processor, {(pipeline.ResidentBytes - memory) / 1048576.0:0.0} MiB");
        // Time of a processor: on a machine with more to do, the wall clock says something about that.
        cost.ShouldBeLessThan(Patience);
        (pipeline.ResidentBytes - memory).ShouldBeLessThan(MostGrowth);
    }

    // A machine that pauses is not the input's fault: what is slow because of its input is slow every time.
    private static async Task<(TimeSpan Took, PublishReply Reply)> FastestAsync(RunningPipeline pipeline, byte[] body, string token)
    {
        for (var tries = 3; ; tries--)
        {
            var clock = Stopwatch.StartNew();
            var reply = await pipeline.PublishAsync(body, token);
            if (clock.Elapsed < Patience || tries == 1) return (clock.Elapsed, reply);
        }
    }

    private static async Task WarmUpAsync(RunningPipeline pipeline, string token)
    {
        var random = new Random(1);
        for (var i = 0; i < BrokenPublishes.Kinds.Count; i++) await pipeline.PublishAsync(BrokenPublishes.Make(i, random).Body, token);
    }
}
