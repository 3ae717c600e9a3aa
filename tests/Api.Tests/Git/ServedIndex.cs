using System.Collections.Concurrent;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Pipeline.Api.Git;
using Pipeline.Registry.Git;
using Pipeline.Registry.Tests.Git;

namespace Pipeline.Api.Tests.Git;

/// <summary>A git index served on a port of its own.</summary>
public sealed class ServedIndex : IAsyncDisposable
{
    private readonly WebApplication _app;

    private ServedIndex(WebApplication app, IndexFolder index) => (_app, Index) = (app, index);

    public IndexFolder Index { get; }

    public string Url => _app.Urls.First() + "/git/index";

    /// <summary>How the requests that came were packed.</summary>
    public ConcurrentBag<string> Encodings { get; } = [];

    public HttpClient Client { get; } = new();

    public IndexRepository Repository => _app.Services.GetRequiredService<IndexRepository>();

    public static async Task<ServedIndex> StartAsync(IndexFolder? folder = null, GitServeOptions? options = null)
    {
        var index = folder ?? new IndexFolder();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        // Long ago, so that a client's own commits are newer.
        builder.Services.AddSingleton<TimeProvider>(new IndexFolder.FixedClock(new DateTimeOffset(2020, 1, 1, 0, 0, 0, TimeSpan.Zero)));
        builder.Services.AddGitIndex(index.Options);
        builder.Services.AddGitServing(options ?? new GitServeOptions());
        var app = builder.Build();
        var served = new ServedIndex(app, index);
        app.Use((context, next) =>
        {
            served.Encodings.Add(context.Request.Headers.ContentEncoding.ToString());
            return next(context);
        });
        app.MapGitIndex();
        await app.StartAsync();
        return served;
    }

    /// <summary>Commits one file, once per content, and returns the new tip.</summary>
    public async Task<string> CommitAsync(string path, params string[] contents)
    {
        await using var session = await Repository.BeginWriteAsync(default);
        var (tip, _) = await session.LookUpAsync([], default);
        var commits = contents.Select(content => new IndexCommit($"Commit {path}", [new IndexUpsert(path, Encoding.UTF8.GetBytes(content))], []));
        var created = await session.CommitAsync(tip, [.. commits], default);
        await session.RepackIfDueAsync(default);
        return created;
    }

    public string NewFolder() => Path.Combine(Index.Root, Path.GetRandomFileName());

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.StopAsync();
        await _app.DisposeAsync();
        Index.Dispose();
    }
}
