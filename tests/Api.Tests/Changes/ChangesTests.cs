using System.Text;
using System.Text.Json;
using Pipeline.Registry.Changes;

namespace Pipeline.Api.Tests.Changes;

public class ChangesTests
{
    private const string Epoch = "0197b0de-0000-7000-8000-000000000001";

    [Fact]
    public async Task The_feed_tells_every_kind_of_change_in_order_as_the_golden_file_has_it()
    {
        await using var fixture = await SeedAsync();

        var answer = await fixture.GetAsync("/api/v1/changes");

        answer.Status.ShouldBe(200, answer.Text);
        answer.Headers["Cache-Control"].ShouldBe("no-store");
        var lines = answer.Json.GetProperty("changes").EnumerateArray().Select(change => change.GetRawText()).Append(Without(answer.Json, "changes"));
        string.Join('\n', lines).ShouldBe((await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "Golden", "changes.jsonl"))).TrimEnd());
    }

    [Fact]
    public async Task Following_the_cursor_shows_everything_once_however_small_the_pages()
    {
        await using var fixture = await SeedAsync();
        var whole = (await fixture.GetAsync("/api/v1/changes")).Json.GetProperty("changes").EnumerateArray().Select(static change => change.GetRawText()).ToList();

        var seen = new List<string>();
        string? since = null;
        bool more;
        do
        {
            var json = (await fixture.GetAsync($"/api/v1/changes?limit=2{(since is null ? "" : $"&since={since}")}")).Json;
            seen.AddRange(json.GetProperty("changes").EnumerateArray().Select(static change => change.GetRawText()));
            (since, more) = (json.GetProperty("cursor").GetString(), json.GetProperty("more").GetBoolean());
        }
        while (more);

        seen.ShouldBe(whole);
        var end = (await fixture.GetAsync($"/api/v1/changes?since={since}")).Json;
        end.GetProperty("changes").GetArrayLength().ShouldBe(0);
        end.GetProperty("cursor").GetString().ShouldBe(since);
    }

    [Fact]
    public async Task A_change_own_cursor_stands_behind_it()
    {
        await using var fixture = await SeedAsync();
        var changes = (await fixture.GetAsync("/api/v1/changes")).Json.GetProperty("changes");

        var rest = (await fixture.GetAsync($"/api/v1/changes?since={changes[1].GetProperty("cursor").GetString()}")).Json.GetProperty("changes");

        rest.GetArrayLength().ShouldBe(changes.GetArrayLength() - 2);
        rest[0].GetRawText().ShouldBe(changes[2].GetRawText());
    }

    [Fact]
    public async Task A_cursor_of_another_epoch_is_refused_with_what_to_do()
    {
        await using var fixture = await SeedAsync();
        var cursor = (await fixture.GetAsync("/api/v1/changes?limit=1")).Json.GetProperty("cursor").GetString();

        await fixture.Temp.ExecuteAsync("UPDATE registry SET epoch = 'another'");

        (await fixture.GetAsync($"/api/v1/changes?since={cursor}")).ShouldFail(
            410,
            "the cursor is of another epoch: the registry was restored from a backup since, and what followed the cursor may have come to pass differently. Read the feed from its start");
    }

    [Theory]
    [InlineData("?since=x", "`since` is no cursor of a change feed")]
    [InlineData("?since=!!", "`since` is no cursor of a change feed")]
    [InlineData("?since=MTI", "`since` is no cursor of a change feed")]
    [InlineData("?limit=0", "`limit` is a number from 1 to 1000")]
    [InlineData("?limit=1001", "`limit` is a number from 1 to 1000")]
    [InlineData("?limit=-1", "`limit` is a number from 1 to 1000")]
    [InlineData("?wait=61", "`wait` is a number of seconds from 0 to 60")]
    [InlineData("?wait=1.5", "`wait` is a number of seconds from 0 to 60")]
    public async Task What_makes_no_sense_is_refused(string query, string text)
    {
        await using var fixture = await ApiFixture.CreateAsync();
        (await fixture.GetAsync($"/api/v1/changes{query}")).ShouldFail(400, text);
    }

    [Fact]
    public async Task Who_waits_is_answered_as_soon_as_something_happens()
    {
        await using var fixture = await SeedAsync();
        var waiting = fixture.GetAsync("/api/v1/changes?since=now&wait=60");
        // A cursor of now is taken when the request is served: the change must come after that.
        await Task.WhenAny(waiting, WaitersAsync(fixture));

        await fixture.PublishAsync("ann", "bar", "1.0.0");

        var changes = (await waiting.WaitAsync(TimeSpan.FromSeconds(30))).Json.GetProperty("changes");
        changes.GetArrayLength().ShouldBe(1);
        changes[0].GetProperty("crate").GetString().ShouldBe("bar");
    }

    [Fact]
    public async Task Waiting_ends_without_a_change_too()
    {
        await using var fixture = await SeedAsync();

        var json = (await fixture.GetAsync("/api/v1/changes?since=now&wait=1")).Json;

        json.GetProperty("changes").GetArrayLength().ShouldBe(0);
        ChangeCursor.TryParse(json.GetProperty("cursor").GetString()!, out var cursor).ShouldBeTrue();
        cursor!.Epoch.ShouldBe(Epoch);
    }

    [Fact]
    public async Task A_registry_whose_reading_needs_a_token_shows_its_changes_to_nobody_without_one()
    {
        await using var fixture = await ApiFixture.CreateAsync(new Pipeline.Registry.Options.RegistryOptions { AuthRequired = true });
        (await fixture.GetAsync("/api/v1/changes")).Status.ShouldBe(401);
        (await fixture.GetAsync("/api/v1/changes", await fixture.TokenAsync("ann"))).Status.ShouldBe(200);
    }

    private static async Task WaitersAsync(ApiFixture fixture)
    {
        var watch = (Pipeline.Api.Changes.ChangeWatch)fixture.Services.GetService(typeof(Pipeline.Api.Changes.ChangeWatch))!;
        while (watch.Waiting == 0) await Task.Delay(10);
    }

    private static async Task<ApiFixture> SeedAsync()
    {
        var fixture = await ApiFixture.CreateAsync();
        await fixture.Temp.ExecuteAsync("INSERT INTO registry (id, epoch, created_at) VALUES (1, $1, 0)", Epoch);
        await fixture.PublishAsync("ann", "Foo-Bar", "1.0.0");
        await fixture.PublishAsync("ann", "Foo-Bar", "1.1.0-rc.1+b");
        var ann = await fixture.TokenAsync("ann");
        await fixture.UserAsync("bob");
        (await fixture.SendAsync("DELETE", "/api/v1/crates/foo-bar/1.0.0/yank", ann)).Status.ShouldBe(200);
        (await fixture.SendAsync("PUT", "/api/v1/crates/foo-bar/1.0.0/unyank", ann)).Status.ShouldBe(200);
        (await fixture.SendAsync("PUT", "/api/v1/crates/foo-bar/owners", ann, new { users = new[] { "bob" } })).Status.ShouldBe(200);
        (await fixture.SendAsync("DELETE", "/api/v1/crates/foo-bar/owners", ann, new { users = new[] { "bob" } })).Status.ShouldBe(200);
        (await fixture.SendAsync("DELETE", "/api/v1/crates/foo-bar", ann)).Status.ShouldBe(204);
        return fixture;
    }

    private static string Without(JsonElement json, string member)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            foreach (var property in json.EnumerateObject().Where(property => property.Name != member)) property.WriteTo(writer);
            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.ToArray());
    }
}
