using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Pipeline.Api.Tests.Admin;

public class AdminAccessTests
{
    [Fact]
    public async Task Nobody_but_an_administrator_with_a_token_without_scopes_gets_in_anywhere()
    {
        var (fixture, _) = await AdminFixture.CreateAsync();
        await using var api = fixture;
        var user = await api.TokenAsync("ann");
        var scoped = await api.TokenAsync("root", endpoints: ["yank"]);
        var forCrates = await api.TokenAsync("root", crates: ["*"]);
        var endpoints = Endpoints(api);
        endpoints.Count.ShouldBeGreaterThan(12);
        foreach (var (method, path) in endpoints)
        {
            (await api.SendAsync(method, path)).ShouldFail(403, "this action requires authentication");
            (await api.SendAsync(method, path, "cio" + new string('x', 32))).ShouldFail(403, "authentication failed");
            (await api.SendAsync(method, path, user)).ShouldFail(403, "this action can only be performed by an administrator of the registry");
            (await api.SendAsync(method, path, scoped)).ShouldFail(403, "this token does not have the required permissions to perform this action");
            (await api.SendAsync(method, path, forCrates)).ShouldFail(403, "this token does not have the required permissions to perform this action");
        }

        (await api.CountAsync("users")).ShouldBe(2);
    }

    [Theory]
    [InlineData("users?limit=0")]
    [InlineData("users?limit=1001")]
    [InlineData("users?limit=ten")]
    [InlineData("users?cursor=-1")]
    [InlineData("tokens?cursor=x")]
    [InlineData("publishes?since=yesterday")]
    [InlineData("publishes?state=lost")]
    [InlineData("failures?since=x")]
    public async Task A_parameter_that_is_none_is_refused(string path)
    {
        var (fixture, token) = await AdminFixture.CreateAsync();
        await using var api = fixture;
        (await api.GetAsync($"/api/v1/admin/{path}", token)).Status.ShouldBe(400);
    }

    private static List<(string Method, string Path)> Endpoints(ApiFixture api) =>
    [
        .. from endpoint in api.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
           where endpoint.RoutePattern.RawText!.StartsWith("/api/v1/admin/", StringComparison.Ordinal)
           from method in endpoint.Metadata.GetMetadata<HttpMethodMetadata>()!.HttpMethods
           select (method, System.Text.RegularExpressions.Regex.Replace(endpoint.RoutePattern.RawText!, "\\{[^}]*\\}", "1")),
    ];
}
