using System.Net;
using Pipeline.Tests.Generating;
using Pipeline.Tests.Serving;

namespace Pipeline.Tests.Flows;

[Trait("Shape", "both")]
public sealed class PublishOverHttpTests(SharedPipeline shared) : IAsyncLifetime
{
    private const int Racers = 16;
    private readonly RunningPipeline _pipeline = shared.Pipeline;
    private Account _user = null!;

    public async ValueTask InitializeAsync() => _user = await _pipeline.AddUserAsync();

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task Who_prefers_not_to_wait_gets_the_status_url_at_once()
    {
        var reply = await _pipeline.PublishAsync(CrateFile.Body("unhurried", "1.0.0", CrateFile.Plain("unhurried", "1.0.0")), _user.Token, ("Prefer", "respond-async"));

        reply.Status.ShouldBe(HttpStatusCode.Accepted);
        reply.Location.ShouldBe(new Uri($"{_pipeline.Url}/api/v1/publishes/{reply.PublishId}"));
        await Deadline.UntilAsync(30, async () => await StagesLeftAsync(reply.PublishId!) is { Length: > 0 } left ? $"stages {left} are done" : null);
        var publish = await _pipeline.PublishStatusAsync(reply.PublishId!);
        publish.GetProperty("state").GetString().ShouldBe("accepted");
        publish.GetProperty("verdict").GetProperty("accepted").GetBoolean().ShouldBeTrue();
        publish.GetProperty("stages").EnumerateArray().Select(stage => stage.GetProperty("stage").GetString())
            .ShouldBe(["intake", "validate-tarball", "read-manifest", "commit-index", "render-sparse"]);
    }

    [Fact]
    public async Task The_status_url_says_why_a_publish_was_refused()
    {
        var reply = await _pipeline.PublishAsync(CrateFile.Body("broken", "1.0.0", [0]), _user.Token, ("Prefer", "respond-async"));

        await Deadline.UntilAsync(30, async () => (await _pipeline.PublishStatusAsync(reply.PublishId!)).GetProperty("verdict").ValueKind == System.Text.Json.JsonValueKind.Null ? "a verdict" : null);
        var verdict = (await _pipeline.PublishStatusAsync(reply.PublishId!)).GetProperty("verdict");
        verdict.GetProperty("accepted").GetBoolean().ShouldBeFalse();
        verdict.GetProperty("status").GetInt32().ShouldBe(400);
        verdict.GetProperty("detail").GetString().ShouldBe("uploaded tarball is malformed or too large when decompressed");
    }

    [Fact]
    public async Task Of_many_publishes_racing_for_one_version_exactly_one_wins()
    {
        var files = Enumerable.Range(0, Racers).Select(i => CrateFile.Plain("contested", "1.0.0", $"// {i}")).ToList();
        var rival = await _pipeline.AddUserAsync();

        var replies = await Task.WhenAll(files.Select((file, i) => _pipeline.PublishAsync(CrateFile.Body("contested", "1.0.0", file), i % 2 == 0 ? _user.Token : rival.Token)));

        var winner = replies.Select((reply, i) => (reply, i)).Where(item => item.reply.IsAccepted).ShouldHaveSingleItem().i;
        foreach (var (i, reply) in replies.Index().Where(item => item.Index != winner))
        {
            // Whoever owns the crate now is told that the version is taken, the other one that the crate is.
            reply.Detail.ShouldBe(i % 2 == winner % 2 ? "crate version `1.0.0` is already uploaded"
                : "this crate exists but you don't seem to be an owner. If you believe this is a mistake, perhaps you need to accept an invitation to be an owner before publishing.");
            reply.Status.ShouldBe(i % 2 == winner % 2 ? HttpStatusCode.BadRequest : HttpStatusCode.Forbidden);
        }

        await _pipeline.SettleAsync("contested");
        (await _pipeline.DownloadAsync("contested", "1.0.0")).ShouldBe(files[winner]);
        (await _pipeline.IndexLinesAsync("contested")).ShouldHaveSingleItem().ShouldContain(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(files[winner])));
        (await _pipeline.CommitsOfAsync("contested")).ShouldBe(["Create crate `contested`"]);
    }

    [Fact]
    public async Task The_same_bytes_sent_many_times_at_once_are_one_version_and_everybody_is_told_so()
    {
        var body = CrateFile.Body("agreed", "1.0.0", CrateFile.Plain("agreed", "1.0.0"));

        var replies = await Task.WhenAll(Enumerable.Range(0, Racers).Select(_ => _pipeline.PublishAsync(body, _user.Token)));

        foreach (var reply in replies) reply.ShouldBeAccepted();
        await _pipeline.SettleAsync("agreed");
        (await _pipeline.IndexLinesAsync("agreed")).ShouldHaveSingleItem();
        (await _pipeline.CommitsOfAsync("agreed")).ShouldBe(["Create crate `agreed`"]);
    }

    private async Task<string> StagesLeftAsync(string id) => string.Join(
        ", ",
        (await _pipeline.PublishStatusAsync(id)).GetProperty("stages").EnumerateArray()
            .Where(stage => stage.GetProperty("state").GetString() != "done")
            .Select(stage => stage.GetProperty("stage").GetString()));
}
