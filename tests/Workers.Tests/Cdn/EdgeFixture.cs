using System.Net;
using Pipeline.Contracts;
using Pipeline.Registry.Cdn;
using Pipeline.Tests.Services;

namespace Pipeline.Workers.Tests.Cdn;

/// <summary>A real Varnish in front of an origin of the test's own.</summary>
public sealed class EdgeFixture : IAsyncLifetime
{
    private readonly HttpClient _client = new(new SocketsHttpHandler { AutomaticDecompression = DecompressionMethods.None });
    private RealServices? _services;

    internal FakeServer Origin { get; private set; } = null!;

    internal string Url { get; private set; } = "";

    internal string Token { get; private set; } = "";

    private RealServices Services => _services!;

    public async ValueTask InitializeAsync()
    {
        Origin = FakeServer.Start(_ => new Reply(404));
        _services = await RealServices.StartAsync(["varnish"], "--origin", $"127.0.0.1:{Origin.Port}");
        Url = new Uri(_services["PIPELINE__Cdn__Targets__0__IndexUrls__0"]).GetLeftPart(UriPartial.Authority);
        Token = _services["PIPELINE__Cdn__Targets__0__Token"];
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await Origin.DisposeAsync();
        await Services.DisposeAsync();
    }

    /// <summary>The edge as a target.</summary>
    internal CdnTarget Target(bool keys = false, bool verify = true) => new()
    {
        Name = "edge",
        IndexUrls = [Url + "/index/"],
        FileUrls = [Url + "/crates/"],
        Token = new Secret(Token),
        SurrogateKeys = keys,
        Verify = verify,
        TimeoutSeconds = 20,
    };

    /// <summary>What a client gets, and how: <c>HIT new</c>, <c>MISS 404</c>.</summary>
    internal async Task<string> GetAsync(string path)
    {
        // As it is written: a client's %2B is another object than its %2b.
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(Url + path, new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true }));
        using var response = await _client.SendAsync(request, TestContext.Current.CancellationToken);
        var body = response.StatusCode == HttpStatusCode.OK ? await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken) : ((int)response.StatusCode).ToString(System.Globalization.CultureInfo.InvariantCulture);
        return $"{response.Headers.GetValues("X-Cache").Single()} {body}";
    }

    internal Task KillAsync() => Services.KillAsync("varnish");

    internal Task RestartAsync() => Services.RestartAsync("varnish");
}
