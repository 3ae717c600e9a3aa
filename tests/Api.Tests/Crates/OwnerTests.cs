using Pipeline.Contracts.Index;
using Pipeline.Contracts.Notices;
using Pipeline.Contracts.Search;
using Pipeline.Contracts.Upkeep;

namespace Pipeline.Api.Tests.Crates;

public class OwnerTests
{
    [Fact]
    public async Task Owners_are_listed_as_cargo_reads_them()
    {
        await using var fixture = await ApiFixture.CreateAsync();
        await fixture.PublishAsync("ann", "Foo", "1.0.0");
        var answer = await fixture.GetAsync("/api/v1/crates/foo/owners");
        answer.Status.ShouldBe(200);
        answer.Text.ShouldBe(
            """{"users":[{"id":1,"login":"ann","name":"ann the user","avatar":null,"url":"https://crates.example/api/v1/users/ann","kind":"user"}]}""");
        (await fixture.GetAsync("/api/v1/crates/foo/owner_user")).Text.ShouldBe(answer.Text);
        (await fixture.GetAsync("/api/v1/crates/foo/owner_team")).Text.ShouldBe("""{"teams":[]}""");
    }

    [Theory]
    [InlineData("users")]
    [InlineData("owners")]
    public async Task Who_is_added_is_an_owner_at_once(string member)
    {
        await using var fixture = await ApiFixture.CreateAsync();
        await fixture.PublishAsync("ann", "Foo", "1.0.0");
        await fixture.UserAsync("Bob");
        await fixture.UserAsync("cid");
        fixture.Bells.Take();
        var answer = await fixture.SendAsync("PUT", "/api/v1/crates/foo/owners", await fixture.TokenAsync("ann"), $$"""{"{{member}}":["bob","cid"]}""");
        answer.Status.ShouldBe(200, answer.Text);
        answer.Text.ShouldBe("""{"ok":true,"msg":"user Bob has been added as an owner of crate Foo,user cid has been added as an owner of crate Foo"}""");
        (await fixture.Temp.LongAsync("SELECT revision FROM crates")).ShouldBe(2);
        (await fixture.Temp.TextAsync("SELECT kind || ' ' || data FROM changes ORDER BY id DESC")).ShouldBe("""owners {"added":["Bob","cid"]}""");
        fixture.Bells.Take().ShouldBe([new RenderSparse(1), new CommitIndex(), new RecordCrate(1), new UpdateSearch(), new SendNotices()]);
        (await fixture.GetAsync("/api/v1/crates/foo/owners")).Json.GetProperty("users").GetArrayLength().ShouldBe(3);
    }

    [Fact]
    public async Task An_owner_is_removed_whatever_the_letter_case()
    {
        await using var fixture = await ApiFixture.CreateAsync();
        await fixture.PublishAsync("ann", "foo", "1.0.0");
        await fixture.UserAsync("bob");
        var token = await fixture.TokenAsync("ann");
        await fixture.SendAsync("PUT", "/api/v1/crates/foo/owners", token, """{"users":["bob"]}""");
        var answer = await fixture.SendAsync("DELETE", "/api/v1/crates/foo/owners", token, """{"users":["BOB"]}""");
        answer.Text.ShouldBe("""{"ok":true,"msg":"owners successfully removed"}""");
        (await fixture.CountAsync("owners")).ShouldBe(1);
    }

    [Theory]
    [InlineData("PUT", "Ann", 400, "`Ann` is already an owner")]
    [InlineData("PUT", "nobody", 400, "could not find user with login `nobody`")]
    [InlineData("PUT", "gitlab:org:team", 400, "unknown organization handler, only 'github:org:team' is supported")]
    [InlineData("PUT", "github:org", 400, "missing github team argument; format is github:org:team")]
    [InlineData("PUT", "github:org:team", 400, "Cannot add a GitHub team as an owner without a connected GitHub account")]
    [InlineData("DELETE", "bob", 400, "could not find owner with login `bob`")]
    [InlineData("DELETE", "ann", 400, "cannot remove all individual owners of a crate. Team member don't have permission to modify owners, so at least one individual owner is required.")]
    public async Task A_change_that_cannot_be_made_says_why_and_changes_nothing(string method, string login, int status, string text)
    {
        await using var fixture = await ApiFixture.CreateAsync();
        await fixture.PublishAsync("ann", "foo", "1.0.0");
        await fixture.UserAsync("bob");
        await fixture.UserAsync("cid");
        var token = await fixture.TokenAsync("ann");
        var audit = await fixture.CountAsync("audit");
        // A good name before the bad one must not slip through.
        var body = method == "PUT" ? $$"""{"users":["cid","{{login}}"]}""" : $$"""{"users":["{{login}}"]}""";
        (await fixture.SendAsync(method, "/api/v1/crates/foo/owners", token, body)).ShouldFail(status, text);
        (await fixture.CountAsync("owners")).ShouldBe(1);
        (await fixture.CountAsync("audit")).ShouldBe(audit);
        (await fixture.Temp.LongAsync("SELECT revision FROM crates")).ShouldBe(1);
    }

    [Fact]
    public async Task Only_owners_change_owners()
    {
        await using var fixture = await ApiFixture.CreateAsync();
        await fixture.PublishAsync("ann", "foo", "1.0.0");
        var bob = await fixture.TokenAsync("bob");
        const string Body = """{"users":["bob"]}""";
        (await fixture.SendAsync("PUT", "/api/v1/crates/foo/owners", null, Body)).ShouldFail(403, "this action requires authentication");
        (await fixture.SendAsync("PUT", "/api/v1/crates/foo/owners", bob, Body)).ShouldFail(403, "only owners have permission to modify owners");
        (await fixture.SendAsync("PUT", "/api/v1/crates/nope/owners", bob, Body)).ShouldFail(404, "crate `nope` does not exist");
        var scoped = await fixture.TokenAsync("ann", ["yank"]);
        (await fixture.SendAsync("PUT", "/api/v1/crates/foo/owners", scoped, Body))
            .ShouldFail(403, "this token does not have the required permissions to perform this action");
    }

    [Theory]
    [InlineData("", 400)]
    [InlineData("nonsense", 400)]
    [InlineData("[]", 422)]
    [InlineData("{}", 422)]
    [InlineData("""{"users":"bob"}""", 422)]
    [InlineData("""{"users":[1]}""", 422)]
    [InlineData("""{"users":[[[[[[[[[[[[[[[[[["deep"]]]]]]]]]]]]]]]]]]}""", 400)]
    [InlineData("""{"users":["1","2","3","4","5","6","7","8","9","10","11"]}""", 400)]
    public async Task A_body_that_is_not_a_list_of_logins_removes_nobody(string body, int status)
    {
        await using var fixture = await ApiFixture.CreateAsync();
        await fixture.PublishAsync("ann", "foo", "1.0.0");
        var answer = await fixture.SendAsync("DELETE", "/api/v1/crates/foo/owners", await fixture.TokenAsync("ann"), body);
        answer.Status.ShouldBe(status);
        answer.Error.ShouldNotBeEmpty();
        (await fixture.CountAsync("owners")).ShouldBe(1);
    }

    [Fact]
    public async Task A_DELETE_without_a_body_as_cargo_sends_it_after_remove_and_list_is_refused()
    {
        await using var fixture = await ApiFixture.CreateAsync();
        await fixture.PublishAsync("ann", "foo", "1.0.0");
        var answer = await fixture.SendAsync("DELETE", "/api/v1/crates/foo/owners", await fixture.TokenAsync("ann"));
        answer.ShouldFail(400, "the request body is empty; JSON was expected");
    }

    [Fact]
    public async Task A_body_beyond_all_measure_is_refused_by_its_length()
    {
        await using var fixture = await ApiFixture.CreateAsync();
        await fixture.PublishAsync("ann", "foo", "1.0.0");
        var body = $$"""{"users":["{{new string('a', 70_000)}}"]}""";
        (await fixture.SendAsync("PUT", "/api/v1/crates/foo/owners", await fixture.TokenAsync("ann"), body)).ShouldFail(413, "the request body is larger than 65536 bytes");
    }
}
