using System.Text.Json;
using Pipeline.Contracts.Index;
using Pipeline.Contracts.Notices;
using Pipeline.Contracts.Search;
using Pipeline.Contracts.Upkeep;

namespace Pipeline.Api.Tests.Admin;

public class AdminCratesTests
{
    private const string Crates = "/api/v1/admin/crates";

    [Fact]
    public async Task A_crate_is_shown_with_owners_versions_and_projections()
    {
        var (fixture, token) = await AdminFixture.CreateAsync();
        await using var api = fixture;
        await api.PublishAsync("ann", "Foo-Bar", "1.0.0", description: "what it is");
        await api.PublishAsync("ann", "Foo-Bar", "1.1.0");
        var crate = (await api.GetAsync($"{Crates}/foo_bar", token)).Json.GetProperty("crate");
        crate.GetProperty("name").GetString().ShouldBe("Foo-Bar");
        crate.GetProperty("owners").EnumerateArray().Select(owner => owner.GetString()).ShouldBe(["ann"]);
        crate.GetProperty("versions").EnumerateArray().Select(version => version.GetProperty("num").GetString()).ShouldBe(["1.1.0", "1.0.0"]);
        crate.GetProperty("versions")[0].GetProperty("published_by").GetString().ShouldBe("ann");
        crate.GetProperty("projections").EnumerateArray().Select(one => (one.GetProperty("kind").GetString(), one.GetProperty("wanted").GetInt64(), one.GetProperty("reached").GetInt64()))
            .ShouldBe([("git", 2, 0), ("record", 2, 0), ("sparse", 2, 0)]);
    }

    [Fact]
    public async Task Deleting_with_no_delay_frees_name_and_numbers_and_rings_for_the_bytes()
    {
        var (fixture, token) = await AdminFixture.CreateAsync();
        await using var api = fixture;
        await api.PublishAsync("ann", "foo", "1.0.0");
        await api.PublishAsync("ann", "foo", "2.0.0");
        await api.PublishAsync("ann", "on-foo", "1.0.0", dependsOn: ["foo"]);
        api.Bells.Take();
        var deleted = await api.SendAsync("DELETE", $"{Crates}/foo?availability_delay_hours=0", token);
        deleted.Status.ShouldBe(200);
        deleted.Json.GetProperty("versions").EnumerateArray().Select(version => version.GetString()).ShouldBe(["1.0.0", "2.0.0"]);
        (await api.Temp.LongAsync("SELECT COUNT(*) FROM versions v JOIN crates c ON c.id = v.crate_id WHERE c.name = 'foo' AND v.freed AND v.state = 'deleted'")).ShouldBe(2);
        (await api.Temp.LongAsync("SELECT COUNT(*) FROM deletions WHERE done_at IS NULL")).ShouldBe(2);
        api.Bells.Take().ShouldBe([new RenderSparse(1), new CommitIndex(), new RecordCrate(1), new UpdateSearch(), new SendNotices(), new DeleteBytes(1)]);
        (await api.GetAsync("/api/v1/crates/foo")).Status.ShouldBe(404);
        (await api.GetAsync($"{Crates}/foo", token)).Json.GetProperty("crate").GetProperty("state").GetString().ShouldBe("deleted");
        (await api.SendAsync("DELETE", $"{Crates}/foo", token)).ShouldFail(404, "crate `foo` does not exist");
    }

    [Theory]
    [InlineData("", 24)]
    [InlineData("?availability_delay_hours=1.5", 1.5)]
    public async Task A_deleted_crates_name_stays_blocked_for_a_while_and_its_numbers_stay_taken(string query, double hours)
    {
        var (fixture, token) = await AdminFixture.CreateAsync();
        await using var api = fixture;
        await api.PublishAsync("ann", "foo", "1.0.0");
        var deleted = await api.SendAsync("DELETE", $"{Crates}/foo{query}", token);
        var crate = (await api.GetAsync($"{Crates}/foo", token)).Json.GetProperty("crate");
        var available = crate.GetProperty("available_at").GetDateTime();
        (available - crate.GetProperty("deleted_at").GetDateTime()).ShouldBe(TimeSpan.FromHours(hours));
        deleted.Json.GetProperty("available_at").GetDateTime().ShouldBe(available);
        crate.GetProperty("versions")[0].GetProperty("freed").GetBoolean().ShouldBeFalse();
    }

    [Fact]
    public async Task What_an_earlier_deletion_still_blocks_is_freed_by_deleting_with_no_delay()
    {
        var (fixture, token) = await AdminFixture.CreateAsync();
        await using var api = fixture;
        await api.PublishAsync("ann", "foo", "1.0.0");
        await api.SendAsync("DELETE", $"{Crates}/foo", token);
        (await api.SendAsync("DELETE", $"{Crates}/foo", token)).ShouldFail(404, "crate `foo` does not exist");
        (await api.SendAsync("DELETE", $"{Crates}/foo?availability_delay_hours=0", token)).Status.ShouldBe(200);
        var crate = (await api.GetAsync($"{Crates}/foo", token)).Json.GetProperty("crate");
        crate.GetProperty("available_at").GetDateTime().ShouldBeLessThanOrEqualTo(api.Clock.GetUtcNow().UtcDateTime);
        crate.GetProperty("versions")[0].GetProperty("freed").GetBoolean().ShouldBeTrue();
        (await api.SendAsync("DELETE", $"{Crates}/never?availability_delay_hours=0", token)).ShouldFail(404, "crate `never` does not exist");
    }

    [Fact]
    public async Task A_version_is_deleted_alone_and_its_number_stays_taken()
    {
        var (fixture, token) = await AdminFixture.CreateAsync();
        await using var api = fixture;
        await api.PublishAsync("ann", "foo", "1.0.0+meta");
        await api.PublishAsync("ann", "foo", "2.0.0");
        (await api.SendAsync("DELETE", $"{Crates}/foo/1.0.0%2Bmeta", token)).Status.ShouldBe(200);
        (await api.Temp.TextAsync("SELECT state || CASE WHEN freed THEN ' freed' ELSE '' END FROM versions WHERE num = '1.0.0+meta'")).ShouldBe("deleted");
        (await api.Temp.TextAsync("SELECT state FROM crates")).ShouldBe("active");
        (await api.SendAsync("DELETE", $"{Crates}/foo/1.0.0%2Bmeta", token)).ShouldFail(404, "crate `foo` does not have a version `1.0.0+meta`");
    }

    [Fact]
    public async Task An_operator_yanks_what_is_not_his_and_it_is_written_down()
    {
        var (fixture, token) = await AdminFixture.CreateAsync();
        await using var api = fixture;
        await api.PublishAsync("ann", "foo", "1.0.0");
        api.Bells.Take();
        var yanked = (await api.SendAsync("PUT", $"{Crates}/foo/1.0.0/yank", token)).Json;
        (yanked.GetProperty("yanked").GetBoolean(), yanked.GetProperty("changed").GetBoolean()).ShouldBe((true, true));
        api.Bells.Take().ShouldBe([new RenderSparse(1), new CommitIndex(), new RecordCrate(1), new UpdateSearch(), new SendNotices()]);
        (await api.SendAsync("PUT", $"{Crates}/foo/1.0.0/yank", token)).Json.GetProperty("changed").GetBoolean().ShouldBeFalse();
        api.Bells.Take().ShouldBeEmpty();
        (await api.SendAsync("PUT", $"{Crates}/foo/1.0.0/unyank", token)).Json.GetProperty("yanked").GetBoolean().ShouldBeFalse();
        (await api.Temp.LongAsync("SELECT COUNT(*) FROM audit a JOIN users u ON u.id = a.user_id WHERE u.login = 'root' AND a.action IN ('yank', 'unyank')")).ShouldBe(2);
    }

    [Theory]
    [InlineData("GET", "/nope", 404)]
    [InlineData("DELETE", "/nope", 404)]
    [InlineData("DELETE", "/nope/1.0.0", 404)]
    [InlineData("PUT", "/nope/1.0.0/yank", 404)]
    [InlineData("DELETE", "/nope?availability_delay_hours=-1", 400)]
    [InlineData("DELETE", "/nope?availability_delay_hours=1e9", 400)]
    [InlineData("DELETE", "/nope?availability_delay_hours=NaN", 400)]
    public async Task What_cannot_be_is_refused_with_a_sentence(string method, string path, int status)
    {
        var (fixture, token) = await AdminFixture.CreateAsync();
        await using var api = fixture;
        var answer = await api.SendAsync(method, Crates + path, token);
        answer.Status.ShouldBe(status, answer.Text);
        answer.Json.GetProperty("errors")[0].GetProperty("detail").ValueKind.ShouldBe(JsonValueKind.String);
    }
}
