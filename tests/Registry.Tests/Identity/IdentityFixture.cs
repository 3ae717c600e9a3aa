using Pipeline.Contracts;
using Pipeline.Registry.Identity;
using Pipeline.Registry.Options;

namespace Pipeline.Registry.Tests.Identity;

/// <summary>Accounts and tokens on a database of their own.</summary>
internal sealed class IdentityFixture : IAsyncDisposable
{
    private readonly TempDatabase _temp;

    private IdentityFixture(TempDatabase temp)
    {
        _temp = temp;
        var cache = new CallerCache(temp.Clock);
        Users = new UserStore(temp.Database, cache);
        Tokens = new TokenStore(temp.Database, cache);
        Use = new TokenUse(temp.Database);
        Authenticator = new Authenticator(
            temp.Database, cache, Use, new RegistryOptions { PublicUrl = "https://crates.example:8443/base", AllowedOrigins = ["https://web.example"] }, temp.Clock);
    }

    public TempDatabase Temp => _temp;

    public UserStore Users { get; }

    public TokenStore Tokens { get; }

    public TokenUse Use { get; }

    public Authenticator Authenticator { get; }

    public static async Task<IdentityFixture> CreateAsync() => new(await TempDatabase.CreateAsync());

    public async Task<User> UserAsync(string login = "ann")
    {
        var (user, reject) = await Users.AddAsync(new NewUser(login, "Ann", "ann@example.com"), Actor.System);
        reject.ShouldBeNull();
        return user!;
    }

    public async Task<CreatedToken> TokenAsync(long userId, NewToken? token = null)
    {
        var (created, reject) = await Tokens.CreateAsync(userId, token ?? new NewToken("ci"), Actor.System);
        reject.ShouldBeNull();
        return created!;
    }

    public ValueTask<Authentication> AuthenticateAsync(Secret token) => Authenticator.AuthenticateAsync(token.Reveal(), null);

    public ValueTask DisposeAsync() => _temp.DisposeAsync();
}
