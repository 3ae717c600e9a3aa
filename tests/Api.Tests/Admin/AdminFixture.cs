using Microsoft.Extensions.DependencyInjection;
using Pipeline.Registry.Bus;
using Pipeline.Registry.Options;

namespace Pipeline.Api.Tests.Admin;

/// <summary>The API with an administrator at hand.</summary>
internal static class AdminFixture
{
    /// <summary>An API, and a token without scopes of the administrator <c>root</c>.</summary>
    public static async Task<(ApiFixture Fixture, string Token)> CreateAsync(WorkerOptions? workers = null)
    {
        var fixture = await ApiFixture.CreateAsync(change: services => services.AddSingleton(new StageGauges(workers ?? new WorkerOptions())));
        await fixture.UserAsync("root", isAdmin: true);
        return (fixture, await fixture.TokenAsync("root"));
    }
}
