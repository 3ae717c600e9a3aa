using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Pipeline.Api.Tests;

public class OpenApiTests
{
    [Fact]
    public async Task The_document_describes_every_endpoint_but_the_operators()
    {
        await using var fixture = await ApiFixture.CreateAsync();
        var answer = await fixture.GetAsync("/openapi/v1.json");
        answer.Status.ShouldBe(200, answer.Text);
        var described = answer.Json.GetProperty("paths").EnumerateObject()
            .SelectMany(path => path.Value.EnumerateObject().Select(method => $"{method.Name.ToUpperInvariant()} {path.Name}")).ToHashSet(StringComparer.Ordinal);
        var mapped = fixture.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .Where(endpoint => endpoint.RoutePattern.RawText!.StartsWith("/api/", StringComparison.Ordinal))
            .Where(endpoint => !endpoint.RoutePattern.RawText!.StartsWith("/api/v1/admin/", StringComparison.Ordinal))
            .SelectMany(endpoint => endpoint.Metadata.GetMetadata<HttpMethodMetadata>()!.HttpMethods
                .Where(method => method != "HEAD")
                .Select(method => $"{method} {endpoint.RoutePattern.RawText!.Replace(":long", "", StringComparison.Ordinal)}"));
        mapped.Where(endpoint => !described.Contains(endpoint)).ShouldBeEmpty();
    }
}
