using Microsoft.Extensions.DependencyInjection;
using Pipeline.Contracts.Cdn;
using Pipeline.Contracts.Index;
using Pipeline.Contracts.Notices;
using Pipeline.Contracts.Publishing;
using Pipeline.Contracts.Search;
using Pipeline.Contracts.Upkeep;
using Pipeline.Registry.Bus;
using Pipeline.Registry.Options;

namespace Pipeline.Api.Tests.Admin;

/// <summary>The API with an administrator at hand.</summary>
internal static class AdminFixture
{
    private static readonly (string Queue, Type Bell)[] Bells =
    [
        ("validate-tarball", typeof(ValidateTarball)), ("read-manifest", typeof(ReadManifest)), ("commit-index", typeof(CommitIndex)), ("render-sparse", typeof(RenderSparse)),
        ("purge-cdn", typeof(PurgeCdn)), ("record-crate", typeof(RecordCrate)), ("update-search", typeof(UpdateSearch)), ("send-notices", typeof(SendNotices)), ("delete-bytes", typeof(DeleteBytes)), ("sweep", typeof(Sweep)),
    ];

    /// <summary>An API, and a token without scopes of the administrator <c>root</c>.</summary>
    public static async Task<(ApiFixture Fixture, string Token)> CreateAsync(WorkerOptions? workers = null)
    {
        var fixture = await ApiFixture.CreateAsync(change: services =>
        {
            services.AddSingleton(new StageGauges(workers ?? new WorkerOptions()));
            foreach (var (queue, bell) in Bells) services.AddSingleton(new Stage(queue, bell, static _ => "", null));
        });
        await fixture.UserAsync("root", isAdmin: true);
        return (fixture, await fixture.TokenAsync("root"));
    }
}
