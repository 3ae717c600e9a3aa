using System.Diagnostics;
using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Pipeline.Api.Publishing;
using Pipeline.Registry.Options;
using Pipeline.Registry.Store;

namespace Pipeline.Api.Tests.Publishing;

/// <summary>Uploads that take their time: what happens meanwhile counts, and what they hold is bounded.</summary>
public sealed class SlowBodyTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static IEnumerable<TheoryDataRow<string, string, int>> Meanwhile => from change in Changes from most in new[] { 0, 1024 } select new TheoryDataRow<string, string, int>(change.Sql, change.Refusal, most);

    private static (string Sql, string Refusal)[] Changes =>
    [
        ("UPDATE tokens SET revoked_at = now_us()", "authentication failed"),
        ("UPDATE tokens SET expires_at = now_us()", "authentication failed"),
        ("UPDATE users SET lock_reason = 'spam'", "This account is indefinitely locked. Reason: spam"),
        ("UPDATE tokens SET endpoint_scopes = '[\"yank\"]'", "this token does not have the required permissions to perform this action"),
        ("UPDATE tokens SET crate_scopes = '[\"bar\"]'", "this token does not have the required permissions to perform this action"),
        (
            "INSERT INTO crates (canonical, name, revision, last_published_at, created_at, updated_at) VALUES ('foo', 'foo', 1, 1, 1, 1)",
            "this token does not have the required permissions to perform this action"),
    ];

    [Theory]
    [MemberData(nameof(Meanwhile))]
    public async Task A_publish_is_judged_by_what_is_true_when_its_body_has_ended(string change, string refusal, int mostInDatabase)
    {
        await using var api = await ApiFixture.CreateAsync(change: services => services.AddSingleton(new PublishOptions { ParkInDatabaseBytes = mostInDatabase }));
        using var body = new GatedContent(PublishBodies.Of("foo", "1.0.0", "bytes"), 3);
        var answering = PutAsync(api, body, await api.TokenAsync("me", ["publish-new"]));
        await body.Reached;
        await UntilAsync(() => api.Services.GetRequiredService<UnfinishedUploads>().Bytes == 5);

        await api.Temp.Database.WriteAsync(sql => sql.ExecuteAsync(change));
        body.Open();

        (await answering).ShouldFail(403, refusal);
        (await api.CountAsync("publishes")).ShouldBe(0);
        (await api.CountAsync("staged_bodies")).ShouldBe(0);
        (await ObjectsAsync(api)).ShouldBeEmpty();
        api.Services.GetRequiredService<UnfinishedUploads>().Bytes.ShouldBe(0);
    }

    [Fact]
    public async Task An_operator_who_was_revoked_while_the_body_came_does_nothing_with_it()
    {
        await using var api = await ApiFixture.CreateAsync();
        await api.UserAsync("root", isAdmin: true);
        var token = await api.TokenAsync("root");
        using var body = new GatedContent("""{"login":"evil","is_admin":true}"""u8.ToArray(), 3);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/admin/users") { Content = body };
        request.Headers.TryAddWithoutValidation("Authorization", token);
        var answering = api.Client.SendAsync(request, Cancel);
        await body.Reached;
        // It is authenticated before its body is read.
        await UntilAsync(async () => await api.Temp.LongAsync("SELECT COUNT(*) FROM tokens WHERE revoked_at IS NULL") == 1);

        (await api.SendAsync("DELETE", "/api/v1/tokens/current", token)).Status.ShouldBe(204);
        body.Open();

        (await answering).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        (await api.Temp.LongAsync("SELECT COUNT(*) FROM users WHERE login = 'evil'")).ShouldBe(0);
    }

    [Fact]
    public async Task Uploads_that_have_not_ended_count_for_the_high_water_mark_of_the_staging()
    {
        await using var api = await ApiFixture.CreateAsync(change: services => services.AddSingleton(new PublishOptions { StagingHighWaterBytes = 8 }));
        var token = await api.TokenAsync("me");
        using var body = new GatedContent(PublishBodies.Of("foo", "1.0.0", "bytes"), 3);
        var first = PutAsync(api, body, token);
        await body.Reached;
        await UntilAsync(() => api.Services.GetRequiredService<UnfinishedUploads>().Bytes == 5);

        using var other = new ByteArrayContent(PublishBodies.Of("foo", "1.0.1", "bytes"));
        var second = await PutAsync(api, other, token);

        (second.Status, second.Error).ShouldBe((503, "the registry has too many publishes waiting; try again later"));
        body.Open();
        (await first).Status.ShouldBe(202);
    }

    [Fact]
    public async Task Strangers_together_hold_no_more_metadata_than_their_share_and_keep_nobody_with_a_token_out()
    {
        await using var api = await ApiFixture.CreateAsync();
        var room = api.Services.GetRequiredService<MetadataRoom>();
        var json = new byte[1 << 20];
        json.AsSpan().Fill((byte)' ');
        List<GatedContent> bodies = [];
        var strangers = new List<Task<Answer>>();
        for (var i = 0; i < 20; i++)
        {
            bodies.Add(new GatedContent([.. PublishBodies.Length(json.Length), .. json], 1));
            strangers.Add(PutAsync(api, bodies[^1], null));
        }

        // Sixteen of them have their megabyte but its last byte. The client looks at an answer only when it has sent its body.
        await UntilAsync(() => room.Taken > 15L << 20);
        room.Taken.ShouldBeLessThanOrEqualTo(16L << 20);

        var readme = new string('r', 900_000);
        using var publish = new ByteArrayContent(PublishBodies.Of($$"""{"name":"foo","vers":"1.0.0","readme":"{{readme}}"}""", "bytes"u8.ToArray()));
        (await PutAsync(api, publish, await api.TokenAsync("me"))).Status.ShouldBe(202);

        room.Taken.ShouldBeLessThanOrEqualTo(16L << 20);
        foreach (var body in bodies) body.Open();
        await UntilAsync(() => strangers.TrueForAll(static answer => answer.IsCompleted));
        strangers.Where(static answer => answer.IsCompletedSuccessfully && answer.Result.Status == 400).Count().ShouldBe(16);
        await UntilAsync(() => room.Taken == 0);
        foreach (var body in bodies) body.Dispose();
    }

    private static async Task<Answer> PutAsync(ApiFixture api, HttpContent body, string? token)
    {
        using var request = new HttpRequestMessage(HttpMethod.Put, "/api/v1/crates/new") { Content = body };
        if (token is not null) request.Headers.TryAddWithoutValidation("Authorization", token);
        request.Headers.TryAddWithoutValidation("Prefer", "respond-async");
        using var response = await api.Client.SendAsync(request, Cancel);
        return new Answer(response, await response.Content.ReadAsByteArrayAsync(Cancel));
    }

    private static async Task<List<string>> ObjectsAsync(ApiFixture api)
    {
        var keys = new List<string>();
        await foreach (var entry in api.Store.ListAsync(StoreKeys.Staging)) keys.Add(entry.Key);
        return keys;
    }

    private static Task UntilAsync(Func<bool> holds) => UntilAsync(() => Task.FromResult(holds()));

    private static async Task UntilAsync(Func<Task<bool>> holds)
    {
        var started = Stopwatch.GetTimestamp();
        while (!await holds())
        {
            Stopwatch.GetElapsedTime(started).ShouldBeLessThan(TimeSpan.FromSeconds(60));
            await Task.Delay(10, Cancel);
        }
    }

    /// <summary>A body whose last bytes are kept back until they are let go.</summary>
    private sealed class GatedContent(byte[] body, int keptBack) : HttpContent
    {
        private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _open = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Reached => _reached.Task.WaitAsync(TimeSpan.FromSeconds(60), Cancel);

        public void Open() => _open.TrySetResult();

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            await stream.WriteAsync(body.AsMemory(0, body.Length - keptBack));
            await stream.FlushAsync();
            _reached.TrySetResult();
            await _open.Task;
            await stream.WriteAsync(body.AsMemory(body.Length - keptBack));
        }

        protected override bool TryComputeLength(out long length)
        {
            length = body.Length;
            return true;
        }
    }
}
