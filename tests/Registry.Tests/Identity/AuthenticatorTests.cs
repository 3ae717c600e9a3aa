using System.Globalization;
using Pipeline.Registry.Database;
using Pipeline.Registry.Identity;

namespace Pipeline.Registry.Tests.Identity;

public class AuthenticatorTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_token_tells_whose_it_is_and_what_it_may()
    {
        await using var fixture = await IdentityFixture.CreateAsync();
        var user = await fixture.UserAsync();
        var created = await fixture.TokenAsync(user.Id, new NewToken("ci", ["yank"], ["foo*"]));
        created.Plaintext.Reveal().ShouldMatch("^cio[A-Za-z0-9]{32}$");

        var caller = (await fixture.AuthenticateAsync(created.Plaintext)).Caller.ShouldNotBeNull();
        caller.UserId.ShouldBe(user.Id);
        caller.TokenId.ShouldBe(created.Token.Id);
        caller.Login.ShouldBe("ann");
        caller.Email.ShouldBe("ann@example.com");
        caller.IsAdmin.ShouldBeFalse();
        caller.Allows(EndpointScope.Yank, "foobar").ShouldBeNull();
        caller.Allows(EndpointScope.Yank, "bar").ShouldBe(IdentityTexts.WrongScope);
        caller.AllowsAdmin().ShouldBe(IdentityTexts.WrongScope);
    }

    [Fact]
    public async Task The_plaintext_is_kept_nowhere()
    {
        await using var fixture = await IdentityFixture.CreateAsync();
        var created = await fixture.TokenAsync((await fixture.UserAsync()).Id);
        var plaintext = created.Plaintext.Reveal();
        if (fixture.Temp.Database.Dialect == Dialect.Postgres)
        {
            (await fixture.Temp.LongAsync(
                "SELECT count(*) FROM pg_tables WHERE schemaname = 'public' AND query_to_xml('SELECT * FROM ' || tablename, true, true, '')::text LIKE '%' || $1 || '%'", plaintext)).ShouldBe(0);
            return;
        }

        await fixture.Temp.CloseAsync();
        foreach (var file in Directory.EnumerateFiles(fixture.Temp.Folder))
            (await File.ReadAllBytesAsync(file, Cancel)).AsSpan().IndexOf(System.Text.Encoding.ASCII.GetBytes(plaintext)).ShouldBe(-1);
    }

    [Fact]
    public async Task An_unknown_token_fails_without_a_reason()
    {
        await using var fixture = await IdentityFixture.CreateAsync();
        (await fixture.AuthenticateAsync(Token.New())).Reject.ShouldBe(IdentityTexts.Unknown);
    }

    [Fact]
    public async Task An_expired_token_fails_from_its_time_on()
    {
        await using var fixture = await IdentityFixture.CreateAsync();
        var user = await fixture.UserAsync();
        var created = await fixture.TokenAsync(user.Id, new NewToken("ci", ExpiresAt: fixture.Temp.Clock.GetUtcNow().AddMinutes(1)));
        (await fixture.AuthenticateAsync(created.Plaintext)).Succeeded.ShouldBeTrue();
        fixture.Temp.Clock.Advance(TimeSpan.FromMinutes(1));
        (await fixture.AuthenticateAsync(created.Plaintext)).Reject.ShouldBe(IdentityTexts.Unknown);
    }

    [Fact]
    public async Task A_revoked_token_fails_at_once()
    {
        await using var fixture = await IdentityFixture.CreateAsync();
        var user = await fixture.UserAsync();
        var created = await fixture.TokenAsync(user.Id);
        (await fixture.AuthenticateAsync(created.Plaintext)).Succeeded.ShouldBeTrue();
        (await fixture.Tokens.RevokeAsync(created.Token.Id, user.Id + 1, Actor.System, Cancel)).ShouldBeFalse();
        (await fixture.Tokens.RevokeAsync(created.Token.Id, user.Id, Actor.System, Cancel)).ShouldBeTrue();
        (await fixture.AuthenticateAsync(created.Plaintext)).Reject.ShouldBe(IdentityTexts.Unknown);
    }

    [Fact]
    public async Task A_revocation_made_elsewhere_works_within_a_second()
    {
        await using var fixture = await IdentityFixture.CreateAsync();
        var created = await fixture.TokenAsync((await fixture.UserAsync()).Id);
        (await fixture.AuthenticateAsync(created.Plaintext)).Succeeded.ShouldBeTrue();
        await fixture.Temp.ExecuteAsync("UPDATE tokens SET revoked_at = 1");
        (await fixture.AuthenticateAsync(created.Plaintext)).Succeeded.ShouldBeTrue("the cache answers within its second");
        fixture.Temp.Clock.Advance(TimeSpan.FromSeconds(1));
        (await fixture.AuthenticateAsync(created.Plaintext)).Reject.ShouldBe(IdentityTexts.Unknown);
    }

    [Theory]
    [InlineData(null, "This account is indefinitely locked. Reason: spam")]
    [InlineData("2030-01-02T03:04:05Z", "This account is locked until 2030-01-02 at 03:04:05 UTC. Reason: spam")]
    public async Task A_locked_account_is_told_why(string? until, string text)
    {
        await using var fixture = await IdentityFixture.CreateAsync();
        var created = await fixture.TokenAsync((await fixture.UserAsync()).Id);
        (await fixture.AuthenticateAsync(created.Plaintext)).Succeeded.ShouldBeTrue();
        DateTimeOffset? time = until is null ? null : DateTimeOffset.Parse(until, CultureInfo.InvariantCulture);
        (await fixture.Users.LockAsync("ANN", "spam", time, Actor.System, Cancel)).ShouldBeNull();

        var reject = (await fixture.AuthenticateAsync(created.Plaintext)).Reject.ShouldNotBeNull();
        (reject.Status, reject.Text).ShouldBe((403, text));

        (await fixture.Users.UnlockAsync("ann", Actor.System, Cancel)).ShouldBeNull();
        (await fixture.AuthenticateAsync(created.Plaintext)).Succeeded.ShouldBeTrue();
    }

    [Fact]
    public async Task A_lock_that_has_ended_is_none()
    {
        await using var fixture = await IdentityFixture.CreateAsync();
        var created = await fixture.TokenAsync((await fixture.UserAsync()).Id);
        await fixture.Users.LockAsync("ann", "spam", fixture.Temp.Clock.GetUtcNow().AddHours(1), Actor.System, Cancel);
        fixture.Temp.Clock.Advance(TimeSpan.FromHours(1));
        (await fixture.AuthenticateAsync(created.Plaintext)).Succeeded.ShouldBeTrue();
    }

    [Theory]
    [InlineData("https://evil.example", false)]
    [InlineData("null", false)]
    [InlineData("https://crates.example", false)]
    [InlineData("https://crates.example:8443", true)]
    [InlineData("https://web.example", true)]
    public async Task Only_known_origins_may_ask(string origin, bool allowed)
    {
        await using var fixture = await IdentityFixture.CreateAsync();
        var created = await fixture.TokenAsync((await fixture.UserAsync()).Id);
        var outcome = await fixture.Authenticator.AuthenticateAsync(created.Plaintext.Reveal(), origin, Cancel);
        outcome.Reject?.Text.ShouldBe("invalid origin header");
        outcome.Succeeded.ShouldBe(allowed);
    }

    [Fact]
    public async Task The_origin_is_looked_at_before_the_token()
    {
        await using var fixture = await IdentityFixture.CreateAsync();
        (await fixture.Authenticator.AuthenticateAsync(null, "https://evil.example", Cancel)).Reject.ShouldBe(IdentityTexts.ForeignOrigin);
    }

    [Fact]
    public async Task The_time_of_use_is_written_later_and_once_a_minute()
    {
        await using var fixture = await IdentityFixture.CreateAsync();
        var user = await fixture.UserAsync();
        var created = await fixture.TokenAsync(user.Id);
        await fixture.AuthenticateAsync(created.Plaintext);
        (await LastUsedAsync(fixture, user)).ShouldBeNull();
        await fixture.Use.FlushAsync(Cancel);
        var first = (await LastUsedAsync(fixture, user)).ShouldNotBeNull();
        first.ShouldBe(fixture.Temp.Clock.GetUtcNow());

        fixture.Temp.Clock.Advance(TimeSpan.FromSeconds(59));
        await fixture.AuthenticateAsync(created.Plaintext);
        await fixture.Use.FlushAsync(Cancel);
        (await LastUsedAsync(fixture, user)).ShouldBe(first);

        fixture.Temp.Clock.Advance(TimeSpan.FromSeconds(1));
        await fixture.AuthenticateAsync(created.Plaintext);
        await fixture.Use.FlushAsync(Cancel);
        (await LastUsedAsync(fixture, user)).ShouldBe(first.AddMinutes(1));
    }

    private static async Task<DateTimeOffset?> LastUsedAsync(IdentityFixture fixture, User user) =>
        (await fixture.Tokens.ListAsync(user.Id, cancellationToken: Cancel))[0].LastUsedAt;
}
