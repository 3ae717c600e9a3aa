using Pipeline.Contracts.Index;
using Pipeline.Tests.Generating;
using Pipeline.Tests.Serving;

namespace Pipeline.Tests.Distributed;

/// <summary>A publish over many processes is one trace (design, law 8).</summary>
[Collection("distributed")]
public sealed class OneTraceTests(DistributedShape shape)
{
    private static readonly string[] Stages = ["validate-tarball", "read-manifest", "render-sparse", "commit-index", "purge-cdn"];

    [Fact]
    public async Task A_publish_is_one_trace_from_the_put_through_the_broker_every_worker_SQL_and_S3_to_the_purge()
    {
        var reply = await shape.Pipeline.PublishAsync(CrateFile.Body("traced", "1.0.0", CrateFile.Plain("traced", "1.0.0")), shape.User.Token);
        reply.ShouldBeAccepted();

        var trace = (await shape.Pipeline.PublishStatusAsync(reply.PublishId!)).GetProperty("trace_id").GetString()!;
        await Deadline.UntilAsync(60, () => Task.FromResult(Missing(trace) is { Count: > 0 } missing ? $"spans of {string.Join(", ", missing)}" : null));

        var spans = shape.Receiver.Trace(trace);
        spans.Select(span => span.Service).Distinct().Count().ShouldBeGreaterThanOrEqualTo(5, "an API process and one of each worker");
        foreach (var source in new[] { "MassTransit", "RabbitMQ.Client.Publisher", "Npgsql", "System.Net.Http" }) spans.ShouldContain(span => span.Source == source, source);
        spans.ShouldContain(span => span.Source == "System.Net.Http" && span.Attributes.Values.Any(value => value.Contains("/crates/traced/traced-1.0.0.crate", StringComparison.Ordinal)), "the crate file's PutObject");
    }

    [Fact]
    public async Task The_edge_shows_what_was_published_and_what_was_yanked()
    {
        var file = new Uri(shape.Pipeline.Edge, IndexPath.Of("edged"));
        (await shape.Pipeline.Http.GetAsync(file)).StatusCode.ShouldBe(System.Net.HttpStatusCode.NotFound, "and the edge keeps that answer");

        (await shape.Pipeline.PublishAsync(CrateFile.Body("edged", "1.0.0", CrateFile.Plain("edged", "1.0.0")), shape.User.Token)).ShouldBeAccepted();
        await EdgeShowsAsync(file, "\"yanked\":false");

        using var yank = new HttpRequestMessage(HttpMethod.Delete, new Uri("/api/v1/crates/edged/1.0.0/yank", UriKind.Relative));
        yank.Headers.TryAddWithoutValidation("Authorization", shape.User.Token);
        using var yanked = await shape.Pipeline.Http.SendAsync(yank);
        yanked.EnsureSuccessStatusCode();
        await EdgeShowsAsync(file, "\"yanked\":true");
    }

    private Task EdgeShowsAsync(Uri file, string text) => Deadline.UntilAsync(30, async () =>
    {
        using var answer = await shape.Pipeline.Http.GetAsync(file);
        var shown = await answer.Content.ReadAsStringAsync();
        return shown.Contains(text, StringComparison.Ordinal) ? null : $"the edge shows {(int)answer.StatusCode} {shown}";
    });

    private List<string> Missing(string trace) =>
        [.. Stages.Where(stage => !shape.Receiver.Trace(trace).Any(span => span.Source == "Pipeline" && span.Name == stage))];
}
