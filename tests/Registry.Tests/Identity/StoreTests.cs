using Pipeline.Registry.Identity;

namespace Pipeline.Registry.Tests.Identity;

public class StoreTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("", null, null, "name must have a value")]
    [InlineData("  ", null, null, "name must have a value")]
    [InlineData("ci", "publish", null, "invalid endpoint scope")]
    [InlineData("ci", null, "te*st", "invalid crate scope")]
    [InlineData("ci", "publish", "te*st", "invalid crate scope")]
    public async Task A_token_that_makes_no_sense_is_not_made(string name, string? endpoint, string? crate, string text)
    {
        await using var fixture = await IdentityFixture.CreateAsync();
        var user = await fixture.UserAsync();
        var (created, reject) = await fixture.Tokens.CreateAsync(
            user.Id, new NewToken(name, endpoint is null ? null : [endpoint], crate is null ? null : [crate]), Actor.System, Cancel);
        created.ShouldBeNull();
        reject!.Text.ShouldBe(text);
        (await fixture.Tokens.ListAsync(user.Id, true, Cancel)).ShouldBeEmpty();
    }

    [Fact]
    public async Task An_account_has_at_most_500_tokens_and_revoked_ones_count()
    {
        await using var fixture = await IdentityFixture.CreateAsync();
        var user = await fixture.UserAsync();
        for (var i = 0; i < TokenStore.MaxPerUser; i++) await fixture.TokenAsync(user.Id);
        await fixture.Temp.ExecuteAsync("UPDATE tokens SET revoked_at = 1");
        var (created, reject) = await fixture.Tokens.CreateAsync(user.Id, new NewToken("one more"), Actor.System, Cancel);
        created.ShouldBeNull();
        reject!.Text.ShouldBe("maximum tokens per user is: 500");
    }

    [Fact]
    public async Task Tokens_are_listed_newest_first_and_revoked_ones_on_request()
    {
        await using var fixture = await IdentityFixture.CreateAsync();
        var (ann, bob) = (await fixture.UserAsync(), await fixture.UserAsync("bob"));
        var first = await fixture.TokenAsync(ann.Id);
        var second = await fixture.TokenAsync(ann.Id);
        var third = await fixture.TokenAsync(bob.Id);
        await fixture.Tokens.RevokeAsync(first.Token.Id, null, Actor.System, Cancel);
        (await fixture.Tokens.ListAsync(ann.Id, false, Cancel)).ConvertAll(token => token.Id).ShouldBe([second.Token.Id]);
        (await fixture.Tokens.ListAsync(ann.Id, true, Cancel)).ConvertAll(token => token.Id).ShouldBe([second.Token.Id, first.Token.Id]);
        (await fixture.Tokens.ListAsync(null, true, Cancel)).ConvertAll(token => token.Id).ShouldBe([third.Token.Id, second.Token.Id, first.Token.Id]);
        (await fixture.Tokens.FindAsync(third.Token.Id, ann.Id, Cancel)).ShouldBeNull();
        (await fixture.Tokens.FindAsync(third.Token.Id, bob.Id, Cancel))!.Login.ShouldBe("bob");
    }

    [Fact]
    public async Task A_login_is_one_account_whatever_its_letter_case()
    {
        await using var fixture = await IdentityFixture.CreateAsync();
        await fixture.UserAsync("Ann");
        var (user, reject) = await fixture.Users.AddAsync(new NewUser("aNN"), Actor.System, Cancel);
        user.ShouldBeNull();
        reject!.Text.ShouldBe("a user with login `aNN` exists already");
        (await fixture.Users.FindAsync("ANN", Cancel))!.Login.ShouldBe("Ann");
    }

    [Theory]
    [InlineData("", null)]
    [InlineData("-a", null)]
    [InlineData("a b", null)]
    [InlineData("github:org:team", null)]
    [InlineData("é", null)]
    [InlineData("ok", "no-address")]
    [InlineData("ok", "@")]
    public async Task An_account_needs_a_login_of_the_form_and_an_address(string login, string? email)
    {
        await using var fixture = await IdentityFixture.CreateAsync();
        var (user, reject) = await fixture.Users.AddAsync(new NewUser(login, Email: email), Actor.System, Cancel);
        user.ShouldBeNull();
        reject!.Status.ShouldBe(400);
    }

    [Fact]
    public async Task Changes_of_accounts_and_tokens_are_audited_with_who_made_them()
    {
        await using var fixture = await IdentityFixture.CreateAsync();
        var ann = await fixture.UserAsync();
        var token = await fixture.TokenAsync(ann.Id);
        var actor = new Actor(ann.Id, token.Token.Id);
        await fixture.Users.AddAsync(new NewUser("bob"), actor, Cancel);
        await fixture.Users.LockAsync("bob", "spam", null, actor, Cancel);
        await fixture.Users.UnlockAsync("bob", actor, Cancel);
        await fixture.Tokens.RevokeAsync(token.Token.Id, null, actor, Cancel);
        (await fixture.Temp.TextsAsync("SELECT action || ' ' || detail FROM audit WHERE token_id = $1 AND user_id = $2 ORDER BY id", token.Token.Id, ann.Id))
            .ShouldBe($"add-user bob, lock-user bob, unlock-user bob, revoke-token token {token.Token.Id}");
    }

    [Fact]
    public async Task First_start_makes_the_administrator_and_a_token_that_only_its_owner_can_read()
    {
        await using var fixture = await IdentityFixture.CreateAsync();
        var folder = fixture.Temp.Folder;
        (await FirstStart.EnsureAdminAsync(fixture.Temp.Database, folder, AdminToken.WhenMissing, Cancel)).ShouldBeTrue();
        var file = Path.Combine(folder, FirstStart.TokenFile);
        var text = await File.ReadAllTextAsync(file, Cancel);
        var caller = (await fixture.Authenticator.AuthenticateAsync(text.Trim(), null, Cancel)).Caller.ShouldNotBeNull();
        caller.Login.ShouldBe("admin");
        caller.AllowsAdmin().ShouldBeNull();
#pragma warning disable CA1416 // the tests run on Linux only
        File.GetUnixFileMode(file).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
#pragma warning restore CA1416

        (await FirstStart.EnsureAdminAsync(fixture.Temp.Database, folder, AdminToken.WhenMissing, Cancel)).ShouldBeFalse();
        (await File.ReadAllTextAsync(file, Cancel)).ShouldBe(text);

        (await FirstStart.EnsureAdminAsync(fixture.Temp.Database, folder, AdminToken.Always, Cancel)).ShouldBeTrue();
        File.Delete(file);
        (await FirstStart.EnsureAdminAsync(fixture.Temp.Database, folder, AdminToken.WithAccount, Cancel)).ShouldBeFalse();
        (await FirstStart.EnsureAdminAsync(fixture.Temp.Database, folder, AdminToken.WhenMissing, Cancel)).ShouldBeTrue();
        (await fixture.Authenticator.AuthenticateAsync((await File.ReadAllTextAsync(file, Cancel)).Trim(), null, Cancel)).Succeeded.ShouldBeTrue();
    }
}
