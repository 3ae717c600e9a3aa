using Pipeline.Tests.Generating;
using Pipeline.Tests.Serving;

namespace Pipeline.Tests.Telemetry;

/// <summary>What a registry sends over OTLP of one publish.</summary>
public sealed class TraceTests : IAsyncLifetime
{
    private static readonly string[] Stages = ["validate-tarball", "read-manifest", "render-sparse", "commit-index"];

    private OtlpReceiver _receiver = null!;
    private PipelineProcess _pipeline = null!;
    private Account _user = null!;

    public async ValueTask InitializeAsync()
    {
        _receiver = await OtlpReceiver.StartAsync();
        _pipeline = await PipelineProcess.StartAsync(
            null,
            [.. _receiver.Configuration, ("Telemetry:OtlpHeaders", "x-key=of-the-receiver"), ("Telemetry:LogFormat", "json"), ("Logging:LogLevel:Default", "Information")]);
        _user = await _pipeline.AddUserAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _pipeline.DisposeAsync();
        await _receiver.DisposeAsync();
    }

    [Fact]
    public async Task A_publish_is_one_trace_from_the_put_to_both_indexes()
    {
        var publish = await PublishAsync("traced", "1.0.0");

        var trace = await TraceAsync(publish.TraceId);
        var put = trace.Where(span => span.Name == "PUT /api/v1/crates/new").ShouldHaveSingleItem();
        put.ParentId.ShouldBe("");
        (put.Attributes["publish.id"], put.Attributes["crate.name"], put.Attributes["crate.version"]).ShouldBe((publish.Id, "traced", "1.0.0"));
        put.Attributes["http.response.status_code"].ShouldBe("200");
        foreach (var stage in Stages)
        {
            var span = trace.Where(span => span.Source == "Pipeline" && span.Name == stage).ShouldHaveSingleItem(stage);
            span.Attributes["stage"].ShouldBe(stage);
            span.Attributes["crate.name"].ShouldBe("traced");
            IsBelow(span, stage is "render-sparse" or "commit-index" ? "read-manifest" : put.Name, trace).ShouldBeTrue($"{stage} is not below its cause");
            span.IsError.ShouldBeFalse();
        }

        trace.ShouldContain(span => span.Source == "MassTransit");
        // The batch of commits is a trace of its own, and each points to the other.
        var batch = _receiver.Spans.Where(span => span.Name == "commit-index batch" && span.Links.Contains(publish.TraceId)).ShouldHaveSingleItem();
        trace.Single(span => span.Name == "commit-index").Links.ShouldBe([batch.TraceId]);
        _receiver.Headers["x-key"].ShouldBe("of-the-receiver");
    }

    [Fact]
    public async Task What_is_logged_of_a_publish_carries_its_id_and_its_trace()
    {
        var publish = await PublishAsync("logged", "1.0.0");

        await Deadline.UntilAsync(20, () => Task.FromResult(_receiver.Logs.Any(log => log.TraceId == publish.TraceId) ? null : "a log record of the trace"));
        var log = _receiver.Logs.First(log => log.TraceId == publish.TraceId);
        log.Body.ShouldBe($"publish {publish.Id} of logged 1.0.0 accepted");
        log.Attributes["publish.id"].ShouldBe(publish.Id);
        var line = _pipeline.Log.Split('\n').Single(line => line.Contains("of logged 1.0.0 accepted", StringComparison.Ordinal));
        using var json = System.Text.Json.JsonDocument.Parse(line);
        string? Of(string key) => json.RootElement.GetProperty(key).GetString();
        (Of("level"), Of("trace_id"), Of("publish.id"), Of("crate.name"), Of("crate.version")).ShouldBe(("info", publish.TraceId, publish.Id, "logged", "1.0.0"));
        Of("span_id")!.Length.ShouldBe(16);
        DateTime.Parse(Of("timestamp")!, System.Globalization.CultureInfo.InvariantCulture).ShouldBeGreaterThan(DateTime.Today.AddDays(-1));
    }

    [Fact]
    public async Task Publishes_that_share_a_rendering_and_a_batch_of_commits_are_whole_traces_each()
    {
        await PublishAsync("shared", "1.0.0");
        var publishes = await Task.WhenAll(Enumerable.Range(1, 8).Select(i => PublishAsync("shared", $"1.0.{i}")));

        foreach (var publish in publishes)
        {
            var trace = await TraceAsync(publish.TraceId);
            foreach (var stage in Stages) trace.ShouldContain(span => span.Source == "Pipeline" && span.Name == stage, $"{stage} of {publish.Id}");
        }
    }

    [Fact]
    public async Task A_refused_publish_is_a_trace_that_ends_with_the_manifest()
    {
        var reply = await _pipeline.PublishAsync(CrateFile.Body("refused", "1.0.0", [0]), _user.Token);

        reply.IsAccepted.ShouldBeFalse();
        var traceId = await TraceIdAsync(reply.PublishId!);
        await Deadline.UntilAsync(20, () => Task.FromResult(_receiver.Trace(traceId).Any(span => span.Name == "read-manifest") ? null : "the span of the verdict"));
        _receiver.Trace(traceId).Single(span => span.Name == "read-manifest").Attributes["outcome"].ShouldBe("rejected");
    }

    [Fact]
    public async Task The_metrics_have_their_names_and_units()
    {
        await PublishAsync("measured", "1.0.0");

        (string Name, string Unit)[] expected =
        [
            ("pipeline.stage.duration", "s"), ("pipeline.stage.age_of_oldest", "s"), ("pipeline.stage.waiting", "{row}"), ("pipeline.publish.accept_to_index", "s"),
            ("pipeline.projection.lag", "s"), ("pipeline.projection.behind", "{crate}"),
        ];
        await Deadline.UntilAsync(20, () => Task.FromResult(expected.All(one => _receiver.Metrics.Any(metric => metric.Name == one.Name)) ? null : "all metrics"));
        foreach (var (name, unit) in expected) _receiver.Metrics.Where(metric => metric.Name == name).ShouldAllBe(metric => metric.Unit == unit && metric.Meter == "Pipeline");
        await Deadline.UntilAsync(20, () => Task.FromResult(Stages.All(stage => Points("pipeline.stage.duration").Any(point => point["stage"] == stage && point["outcome"] == "done")) ? null : "a duration of every stage"));
        Points("pipeline.publish.accept_to_index").Select(point => point["index"]).Distinct().ShouldBe(["git", "sparse"], ignoreOrder: true);
        Points("pipeline.projection.lag").Select(point => point["kind"]).Distinct().ShouldBe(["git", "record", "search", "sparse"], ignoreOrder: true);
        // Nothing is made up for what does not exist yet.
        _receiver.Metrics.ShouldNotContain(metric => metric.Name == "pipeline.upstream.freshness");
    }

    private IEnumerable<IReadOnlyDictionary<string, string>> Points(string metric) => _receiver.Metrics.Where(one => one.Name == metric).SelectMany(one => one.Points);

    private static bool IsBelow(ReceivedSpan span, string ancestor, IReadOnlyList<ReceivedSpan> trace)
    {
        for (var parent = span; parent is not null; parent = trace.SingleOrDefault(other => other.SpanId == parent.ParentId))
        {
            if (parent.Name == ancestor) return true;
        }

        return false;
    }

    private async Task<(string Id, string TraceId)> PublishAsync(string name, string version)
    {
        var reply = await _pipeline.PublishAsync(CrateFile.Body(name, version, CrateFile.Plain(name, version)), _user.Token);
        reply.ShouldBeAccepted();
        return (reply.PublishId!, await TraceIdAsync(reply.PublishId!));
    }

    private async Task<string> TraceIdAsync(string publish) => (await _pipeline.PublishStatusAsync(publish)).GetProperty("trace_id").GetString()!;

    /// <summary>The spans of a trace once all of its stages are there.</summary>
    private async Task<IReadOnlyList<ReceivedSpan>> TraceAsync(string traceId)
    {
        await Deadline.UntilAsync(20, () =>
        {
            var missing = Stages.Append("PUT /api/v1/crates/new").Except(_receiver.Trace(traceId).Select(span => span.Name)).ToList();
            return Task.FromResult(missing.Count == 0 ? null : $"spans of {traceId}: {string.Join(", ", missing)}; there are {string.Join(", ", _receiver.Trace(traceId).Select(span => span.Name))}");
        });
        return _receiver.Trace(traceId);
    }
}
