using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Pipeline.Tests.Generating;
using Pipeline.Tests.Serving;
using Pipeline.Workers.Tests.Cdn;

namespace Pipeline.Tests.Flows;

[Trait("Shape", "both")]
public sealed class ChangeFeedTests(SharedPipeline shared)
{
    private const string Secret = "the receiver knows this one";
    private readonly RunningPipeline _pipeline = shared.Pipeline;

    [Fact]
    public async Task What_happens_to_a_crate_is_in_the_feed_and_told_to_webhooks_in_order_and_signed()
    {
        var user = await _pipeline.AddUserAsync();
        var answers = new Queue<int>([200, 503]);
        await using var receiver = FakeServer.Start(_ => new Reply(answers.TryDequeue(out var status) ? status : 200));
        _pipeline.ExpectFailures("send-notices");
        var cursor = Json(await _pipeline.GetAsync("/api/v1/changes?since=now")).GetProperty("cursor").GetString();
        var hook = (await _pipeline.AdminAsync(HttpMethod.Post, "webhooks", new { url = receiver.Url + "/told", secret = Secret, crates = new[] { "tell-*" } })).GetProperty("webhook").GetProperty("id").GetInt64();

        (await _pipeline.PublishAsync(CrateFile.Body("tell-all", "1.0.0", CrateFile.Plain("tell-all", "1.0.0")), user.Token)).ShouldBeAccepted();
        (await _pipeline.PublishAsync(CrateFile.Body("hush", "1.0.0", CrateFile.Plain("hush", "1.0.0")), user.Token)).ShouldBeAccepted();
        await SendAsync(HttpMethod.Delete, "/api/v1/crates/tell-all/1.0.0/yank", user);
        await SendAsync(HttpMethod.Put, "/api/v1/crates/tell-all/1.0.0/unyank", user);
        await _pipeline.AdminAsync(HttpMethod.Delete, "crates/tell-all");

        var seen = await FollowAsync(cursor!, "tell-all", 4);
        seen.ConvertAll(Kind).ShouldBe(["publish", "yank", "unyank", "delete"]);
        await Deadline.UntilAsync(60, () => Task.FromResult(receiver.Received.Count < 5 ? $"{receiver.Received.Count} of 5 deliveries" : null));
        // The second was refused once: told again, before the next, with the same id.
        receiver.Received.Select(static notice => Kind(Json(notice.Text))).ShouldBe(["publish", "yank", "yank", "unyank", "delete"]);
        receiver.Received[2].Headers["webhook-id"].ShouldBe(receiver.Received[1].Headers["webhook-id"]);
        foreach (var notice in receiver.Received)
        {
            var signed = Encoding.UTF8.GetBytes($"{notice.Headers["webhook-id"]}.{notice.Headers["webhook-timestamp"]}.{notice.Text}");
            notice.Headers["webhook-signature"].ShouldBe("v1," + Convert.ToBase64String(HMACSHA256.HashData(Encoding.UTF8.GetBytes(Secret), signed)));
            // A notice and the feed say the same, byte for byte.
            seen.ConvertAll(static change => change.GetRawText()).ShouldContain(notice.Text);
        }

        await _pipeline.SettleAsync();
        await _pipeline.AdminAsync(HttpMethod.Delete, string.Create(CultureInfo.InvariantCulture, $"webhooks/{hook}"));
    }

    private async Task<List<JsonElement>> FollowAsync(string cursor, string crate, int count)
    {
        var seen = new List<JsonElement>();
        await Deadline.UntilAsync(60, async () =>
        {
            var page = Json(await _pipeline.GetAsync($"/api/v1/changes?since={cursor}&limit=2&wait=5"));
            cursor = page.GetProperty("cursor").GetString()!;
            seen.AddRange(page.GetProperty("changes").EnumerateArray().Where(change => change.GetProperty("crate").GetString() == crate));
            return seen.Count < count ? $"{seen.Count} of {count} changes" : null;
        });
        return seen;
    }

    private async Task SendAsync(HttpMethod method, string path, Account user)
    {
        using var request = new HttpRequestMessage(method, new Uri(path, UriKind.Relative));
        request.Headers.TryAddWithoutValidation("Authorization", user.Token);
        using var response = await _pipeline.Http.SendAsync(request);
        response.StatusCode.ShouldBe(HttpStatusCode.OK, await response.Content.ReadAsStringAsync());
    }

    private static string Kind(JsonElement change) => change.GetProperty("kind").GetString()!;

    private static JsonElement Json(string? text) => JsonDocument.Parse(text!).RootElement.Clone();
}
