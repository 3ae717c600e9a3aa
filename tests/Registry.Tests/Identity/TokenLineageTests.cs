using Pipeline.Registry.Identity;

namespace Pipeline.Registry.Tests.Identity;

/// <summary>What a thief makes with a stolen token must not outlive it.</summary>
public sealed class TokenLineageTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_a_token_made_and_what_that_made_ends_when_it_is_revoked()
    {
        await using var fixture = await IdentityFixture.CreateAsync();
        var (ann, bob) = (await fixture.UserAsync(), await fixture.UserAsync("bob"));
        var first = await fixture.TokenAsync(ann.Id);
        var child = await MakeAsync(fixture, ann.Id, first);
        var grandchild = await MakeAsync(fixture, bob.Id, child);
        var other = await fixture.TokenAsync(ann.Id);

        await fixture.Tokens.RevokeAsync(first.Token.Id, null, Actor.System, Cancel);

        (await fixture.AuthenticateAsync(child.Plaintext)).Succeeded.ShouldBeFalse();
        (await fixture.AuthenticateAsync(grandchild.Plaintext)).Succeeded.ShouldBeFalse();
        (await fixture.AuthenticateAsync(other.Plaintext)).Succeeded.ShouldBeTrue();
        (await fixture.Temp.TextsAsync("SELECT detail FROM audit WHERE action = 'revoke-token' ORDER BY id"))
            .ShouldBe($"token {first.Token.Id}, token {child.Token.Id}, made with token {first.Token.Id}, token {grandchild.Token.Id}, made with token {first.Token.Id}");
    }

    [Fact]
    public async Task An_operator_can_keep_what_a_token_made()
    {
        await using var fixture = await IdentityFixture.CreateAsync();
        var ann = await fixture.UserAsync();
        var first = await fixture.TokenAsync(ann.Id);
        var child = await MakeAsync(fixture, ann.Id, first);

        await fixture.Tokens.RevokeAsync(first.Token.Id, null, Actor.System, keepMade: true, Cancel);

        (await fixture.AuthenticateAsync(child.Plaintext)).Succeeded.ShouldBeTrue();
    }

    [Fact]
    public async Task A_token_makes_none_that_expires_later_than_it_does()
    {
        await using var fixture = await IdentityFixture.CreateAsync();
        var ann = await fixture.UserAsync();
        var end = fixture.Temp.Clock.GetUtcNow().AddHours(1);
        var first = await fixture.TokenAsync(ann.Id, new NewToken("an hour", ExpiresAt: end));
        var actor = new Actor(ann.Id, first.Token.Id);

        (await MakeAsync(fixture, ann.Id, first)).Token.ExpiresAt.ShouldBe(end);
        (await fixture.Tokens.CreateAsync(ann.Id, new NewToken("less", ExpiresAt: end.AddMinutes(-1)), actor, Cancel)).Created!.Token.ExpiresAt.ShouldBe(end.AddMinutes(-1));
        var (created, reject) = await fixture.Tokens.CreateAsync(ann.Id, new NewToken("more", ExpiresAt: end.AddSeconds(1)), actor, Cancel);

        created.ShouldBeNull();
        (reject!.Status, reject.Text).ShouldBe((400, "a token cannot make one that outlives it: it expires at 2026-01-02T04:04:05Z"));
    }

    [Theory]
    [InlineData("UPDATE tokens SET revoked_at = now_us()", "authentication failed")]
    [InlineData("UPDATE tokens SET expires_at = now_us()", "authentication failed")]
    [InlineData("UPDATE tokens SET endpoint_scopes = '[\"yank\"]'", "this token does not have the required permissions to perform this action")]
    [InlineData("UPDATE tokens SET crate_scopes = '[\"foo\"]'", "this token does not have the required permissions to perform this action")]
    public async Task A_token_that_has_ended_or_has_scopes_makes_none(string change, string text)
    {
        await using var fixture = await IdentityFixture.CreateAsync();
        var ann = await fixture.UserAsync();
        var first = await fixture.TokenAsync(ann.Id);
        await fixture.Temp.Database.WriteAsync(sql => sql.ExecuteAsync(change), Cancel);

        var (created, reject) = await fixture.Tokens.CreateAsync(ann.Id, new NewToken("more"), new Actor(ann.Id, first.Token.Id), Cancel);

        created.ShouldBeNull();
        (reject!.Status, reject.Text).ShouldBe((403, text));
    }

    [Fact]
    public async Task Of_tokens_that_are_made_while_theirs_is_revoked_none_is_left()
    {
        await using var fixture = await IdentityFixture.CreateAsync();
        var ann = await fixture.UserAsync();
        var first = await fixture.TokenAsync(ann.Id);
        var actor = new Actor(ann.Id, first.Token.Id);

        var making = Enumerable.Range(0, 20).Select(i => fixture.Tokens.CreateAsync(ann.Id, new NewToken($"t{i}"), actor, Cancel).AsTask()).ToList();
        await fixture.Tokens.RevokeAsync(first.Token.Id, null, Actor.System, Cancel);
        await Task.WhenAll(making);

        (await fixture.Temp.LongAsync("SELECT COUNT(*) FROM tokens WHERE revoked_at IS NULL")).ShouldBe(0);
    }

    private static async Task<CreatedToken> MakeAsync(IdentityFixture fixture, long userId, CreatedToken with)
    {
        var (created, reject) = await fixture.Tokens.CreateAsync(userId, new NewToken("made"), new Actor(with.Token.UserId, with.Token.Id), Cancel);
        reject.ShouldBeNull();
        return created!;
    }
}
