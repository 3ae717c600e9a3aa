using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Pipeline.Api.Publishing;
using Pipeline.Contracts;
using Pipeline.Contracts.Publishing;
using Pipeline.Registry.Options;
using Pipeline.Registry.Store;
using Pipeline.Registry.Truth;

namespace Pipeline.Api.Tests.Publishing;

/// <summary>Intake and answer, with no worker behind: the tests write the verdicts.</summary>
public sealed class PublishEndpointTests
{
    private static readonly PublishOptions Quick = new() { HoldSeconds = 20, BlankSeconds = 0.05, TailSeconds = 20 };

    [Theory]
    [InlineData("", "invalid metadata length")]
    [InlineData("000000", "invalid metadata length")]
    [InlineData("05000000", "invalid metadata length for remaining payload: 5")]
    [InlineData("05000000000000", "invalid metadata length for remaining payload: 5")]
    [InlineData("02000000" + "7b7d", "invalid upload request: missing field `name` at line 1 column 2")]
    public async Task A_body_that_is_cut_off_in_its_first_parts_is_refused_in_crates_io_words(string hex, string text)
    {
        await using var api = await StartAsync(Quick);

        var answer = await PutAsync(api, Convert.FromHexString(hex));

        (answer.Status, answer.Error).ShouldBe((400, text));
        (await api.CountAsync("publishes")).ShouldBe(0);
    }

    [Fact]
    public async Task Metadata_over_a_mebibyte_is_refused_before_it_is_read()
    {
        await using var api = await StartAsync(Quick);

        var answer = await PutAsync(api, PublishBodies.Length((1024 * 1024) + 1));

        (answer.Status, answer.Error).ShouldBe((413, "JSON metadata blob too large"));
    }

    [Theory]
    [InlineData("0foo", "1.0.0", "the name `0foo` cannot be used as a crate name, the name cannot start with a digit")]
    [InlineData("foo", "1.0", "\"1.0\" is an invalid semver version")]
    public async Task Name_and_version_are_checked_before_anybody_asks_who_publishes(string name, string version, string text)
    {
        await using var api = await StartAsync(Quick);

        var answer = await PutAsync(api, PublishBodies.Of(name, version), token: "nonsense");

        (answer.Status, answer.Error).ShouldBe((400, text));
    }

    [Fact]
    public async Task A_registry_that_was_restored_takes_no_uploads_and_says_why()
    {
        await using var api = await StartAsync(Quick);
        var token = await api.TokenAsync("ann");
        await api.Temp.Database.WriteAsync(static sql => ReadOnlyState.BeginEpochAsync(sql, "test"));

        var answer = await PutAsync(api, PublishBodies.Of("foo", "1.0.0"), token: token);

        (answer.Status, answer.Error).ShouldBe((503, ReadOnlyState.Text));
        (await api.CountAsync("publishes")).ShouldBe(0);
        (await ObjectsAsync(api)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Without_a_token_publishing_is_forbidden()
    {
        await using var api = await StartAsync(Quick);

        var answer = await PutAsync(api, PublishBodies.Of("foo", "1.0.0"), token: null);

        (answer.Status, answer.Error).ShouldBe((403, "this action requires authentication"));
    }

    [Fact]
    public async Task A_tarball_over_the_limit_is_refused_before_it_is_read_and_one_that_ends_early_leaves_nothing()
    {
        await using var api = await StartAsync(Quick with { MaxUploadBytes = 5 });
        var token = await api.TokenAsync("me");

        var large = await PutAsync(api, PublishBodies.Of("foo", "1.0.0", "123456"), token);
        var early = await PutAsync(api, PublishBodies.Of("foo", "1.0.0", "12345")[..^1], token);

        (large.Status, large.Error).ShouldBe((413, "max upload size is: 5"));
        (early.Status, early.Error).ShouldBe((400, "invalid tarball length for remaining payload: 5"));
        (await api.CountAsync("publishes")).ShouldBe(0);
        (await ObjectsAsync(api)).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_publish_is_parked_with_its_bytes_and_row_before_its_bell_is_rung()
    {
        await using var api = await StartAsync(Quick);

        var answer = await PutAsync(api, PublishBodies.Of("foo", "1.0.0"), await api.TokenAsync("me"), ("Prefer", "respond-async"));

        answer.Status.ShouldBe(202);
        var id = answer.Headers["Publish-Id"];
        answer.Headers["Location"].ShouldBe($"https://crates.example/api/v1/publishes/{id}");
        (await ObjectsAsync(api)).ShouldBeEmpty();
        (await api.Temp.TextAsync("SELECT publish_id FROM staged_bodies WHERE length(body) = 5")).ShouldBe(id);
        (await api.Temp.TextAsync("SELECT state || ' ' || checksum FROM publishes")).ShouldBe($"parked {Checksum.OfContent("bytes"u8)}");
        api.Bells.Take().ShouldBe([new ValidateTarball(id)]);
    }

    [Fact]
    public async Task The_status_url_shows_a_publish_from_the_moment_it_was_parked()
    {
        await using var api = await StartAsync(Quick);
        var answer = await PutAsync(api, PublishBodies.Of("foo", "1.0.0"), await api.TokenAsync("me"), ("Prefer", "respond-async"));

        var publish = (await api.GetAsync($"/api/v1/publishes/{answer.Headers["Publish-Id"]}")).Json.GetProperty("publish");

        publish.GetProperty("state").GetString().ShouldBe("parked");
        publish.GetProperty("verdict").ValueKind.ShouldBe(System.Text.Json.JsonValueKind.Null);
        publish.GetProperty("stages").EnumerateArray().Select(stage => $"{stage.GetProperty("stage")} {stage.GetProperty("state")}")
            .ShouldBe(["intake done", "validate-tarball waiting", "read-manifest waiting", "commit-index waiting", "render-sparse waiting"]);
    }

    [Fact]
    public async Task Of_16_of_the_same_upload_at_once_one_is_kept_and_the_others_join_it()
    {
        await using var api = await StartAsync(Quick);
        var token = await api.TokenAsync("me");
        var body = PublishBodies.Of("foo", "1.0.0");

        var answers = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => PutAsync(api, body, token, ("Prefer", "respond-async"))));

        answers.Select(answer => (answer.Status, answer.Headers["Publish-Id"])).Distinct().ShouldHaveSingleItem().Item1.ShouldBe(202);
        (await api.CountAsync("publishes")).ShouldBe(1);
        (await api.CountAsync("staged_bodies")).ShouldBe(1);
    }

    [Fact]
    public async Task A_large_upload_is_staged_in_the_store_and_one_that_joins_another_leaves_nothing()
    {
        await using var api = await StartAsync(new PublishOptions { ParkInDatabaseBytes = 4 });
        var token = await api.TokenAsync("me");

        var first = await PutAsync(api, PublishBodies.Of("foo", "1.0.0"), token, ("Prefer", "respond-async"));
        var second = await PutAsync(api, PublishBodies.Of("foo", "1.0.0"), token, ("Prefer", "respond-async"));

        second.Headers["Publish-Id"].ShouldBe(first.Headers["Publish-Id"]);
        (await ObjectsAsync(api)).ShouldBe([$"staging/{first.Headers["Publish-Id"]}.crate"]);
        (await api.CountAsync("staged_bodies")).ShouldBe(0);
    }

    [Fact]
    public async Task A_verdict_within_the_hold_chooses_the_status()
    {
        await using var api = await StartAsync(Quick);
        var put = PutAsync(api, PublishBodies.Of("foo", "1.0.0"), await api.TokenAsync("me"));

        await RejectAsync(api, new Reject("invalid-archive", 400, "uploaded tarball is malformed"));

        var answer = await put;
        (answer.Status, answer.Error).ShouldBe((400, "uploaded tarball is malformed"));
    }

    [Fact]
    public async Task A_verdict_whose_bell_was_lost_is_found_by_the_poll()
    {
        await using var api = await StartAsync(Quick);
        var put = PutAsync(api, PublishBodies.Of("foo", "1.0.0"), await api.TokenAsync("me"));
        var started = Stopwatch.GetTimestamp();

        await RejectAsync(api, new Reject("invalid-archive", 400, "no"), ring: false);

        (await put).Status.ShouldBe(400);
        Stopwatch.GetElapsedTime(started).ShouldBeLessThan(TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task After_the_hold_blanks_are_sent_and_a_late_refusal_is_an_error_inside_the_200()
    {
        await using var api = await StartAsync(Quick with { HoldSeconds = 0.05 });
        using var request = Request(PublishBodies.Of("foo", "1.0.0"), await api.TokenAsync("me"));
        using var response = await api.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
        ((int)response.StatusCode).ShouldBe(200);

        await RejectAsync(api, new Reject("invalid-archive", 400, "late"));

        var body = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        body.ShouldStartWith(new string(' ', 127) + "\n");
        body.Trim().ShouldBe("""{"errors":[{"detail":"late"}]}""");
    }

    [Fact]
    public async Task A_publish_undecided_to_the_end_of_the_tail_answers_with_a_warning_and_the_status_url()
    {
        await using var api = await StartAsync(Quick with { HoldSeconds = 0.05, TailSeconds = 0.2 });

        var answer = await PutAsync(api, PublishBodies.Of("foo", "1.0.0"), await api.TokenAsync("me"));

        answer.Status.ShouldBe(200);
        answer.Json.GetProperty("warnings").GetProperty("other")[0].GetString()!.ShouldContain($"https://crates.example/api/v1/publishes/{answer.Headers["Publish-Id"]}");
    }

    [Fact]
    public async Task The_same_bytes_in_flight_join_the_publish_and_get_its_verdict()
    {
        await using var api = await StartAsync(Quick);
        var token = await api.TokenAsync("me");
        var first = PutAsync(api, PublishBodies.Of("foo", "1.0.0"), token);
        await ParkedAsync(api, 1);
        var second = PutAsync(api, PublishBodies.Of("foo", "1.0.0"), token);
        await WaitingAsync(api, 2);

        await RejectAsync(api, new Reject("invalid-archive", 400, "both"));

        var answers = await Task.WhenAll(first, second);
        answers.Select(answer => answer.Error).ShouldBe(["both", "both"]);
        answers[0].Headers["Publish-Id"].ShouldBe(answers[1].Headers["Publish-Id"]);
        (await api.CountAsync("publishes")).ShouldBe(1);
    }

    [Theory]
    [InlineData("foo", "1.0.0", "other", "me")]
    [InlineData("foo", "1.0.0", "bytes", "you")]
    [InlineData("Foo", "1.0.0", "bytes", "me")]
    [InlineData("foo", "1.0.0+b", "bytes", "me")]
    public async Task Other_bytes_or_another_user_or_spelling_is_a_publish_of_its_own(string name, string version, string tarball, string user)
    {
        await using var api = await StartAsync(Quick);
        await PutAsync(api, PublishBodies.Of("foo", "1.0.0"), await api.TokenAsync("me"), ("Prefer", "respond-async"));

        await PutAsync(api, PublishBodies.Of(name, version, tarball), await api.TokenAsync(user), ("Prefer", "respond-async"));

        (await api.CountAsync("publishes")).ShouldBe(2);
    }

    [Fact]
    public async Task Above_the_high_water_mark_of_the_staging_intake_answers_503()
    {
        await using var api = await StartAsync(Quick with { StagingHighWaterBytes = 8 });
        var token = await api.TokenAsync("me");
        (await PutAsync(api, PublishBodies.Of("foo", "1.0.0"), token, ("Prefer", "respond-async"))).Status.ShouldBe(202);

        var answer = await PutAsync(api, PublishBodies.Of("foo", "1.0.1"), token, ("Prefer", "respond-async"));

        answer.Status.ShouldBe(503);
        answer.Error.ShouldContain("too many publishes waiting");
        answer.Headers.ShouldContainKey("Retry-After");
    }

    [Fact]
    public async Task A_publish_with_an_expired_token_is_refused_after_its_name_was_checked()
    {
        await using var api = await StartAsync(Quick);

        var answer = await PutAsync(api, PublishBodies.Of("foo", "1.0.0"), token: "cio" + new string('A', 32));

        (answer.Status, answer.Error).ShouldBe((403, "authentication failed"));
    }

    private static Task<ApiFixture> StartAsync(PublishOptions options) =>
        ApiFixture.CreateAsync(change: services => services.AddSingleton(options));

    private static async Task<Answer> PutAsync(ApiFixture api, byte[] body, string? token = "cio", params (string Name, string Value)[] headers)
    {
        using var request = Request(body, token, headers);
        using var response = await api.Client.SendAsync(request, TestContext.Current.CancellationToken);
        return new Answer(response, await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken));
    }

    private static HttpRequestMessage Request(byte[] body, string? token, params (string Name, string Value)[] headers)
    {
        var request = new HttpRequestMessage(HttpMethod.Put, "/api/v1/crates/new") { Content = new ByteArrayContent(body) };
        if (token is not null) request.Headers.TryAddWithoutValidation("Authorization", token);
        foreach (var (name, value) in headers) request.Headers.TryAddWithoutValidation(name, value);
        return request;
    }

    private static async Task RejectAsync(ApiFixture api, Reject reject, bool ring = true)
    {
        await ParkedAsync(api, 1);
        var id = (await api.Temp.TextAsync("SELECT id FROM publishes"))!;
        await api.Temp.Database.WriteAsync(sql => Publishes.RejectAsync(sql, id, reject, 0));
        if (ring) await api.Services.GetRequiredService<VerdictWaiters>().WakeAsync([id]);
    }

    private static Task ParkedAsync(ApiFixture api, long count) => UntilAsync(async () => await api.CountAsync("publishes") >= count);

    private static Task WaitingAsync(ApiFixture api, int count) =>
        UntilAsync(() => Task.FromResult(api.Services.GetRequiredService<VerdictWaiters>().Requests >= count));

    private static async Task UntilAsync(Func<Task<bool>> holds)
    {
        var started = Stopwatch.GetTimestamp();
        while (!await holds())
        {
            Stopwatch.GetElapsedTime(started).ShouldBeLessThan(TimeSpan.FromSeconds(20));
            await Task.Delay(10, TestContext.Current.CancellationToken);
        }
    }

    private static async Task<List<string>> ObjectsAsync(ApiFixture api)
    {
        var keys = new List<string>();
        await foreach (var entry in api.Store.ListAsync(StoreKeys.Staging)) keys.Add(entry.Key);
        return keys;
    }
}
