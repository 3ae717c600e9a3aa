using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Pipeline.Contracts.Index;

namespace Pipeline.Workers.Tests.Upstream;

/// <summary>A sparse index of another registry: files with ETags and conditional requests, and whatever else a test wants to be answered.</summary>
internal sealed class SparseServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentDictionary<string, RequestDelegate> _files = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<string> _asked = new();

    private SparseServer(WebApplication app) => _app = app;

    /// <summary>Its root, with a slash at the end.</summary>
    public Uri Root => new(_app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First() + "/index/");

    /// <summary>What it answered since this was last asked, as <c>protocol status path</c>.</summary>
    public List<string> Take()
    {
        var all = new List<string>();
        while (_asked.TryDequeue(out var one)) all.Add(one);
        all.Sort(StringComparer.Ordinal);
        return all;
    }

    /// <summary>Has a file answered by a piece of code.</summary>
    public RequestDelegate this[string path]
    {
        set => _files[path] = value;
    }

    /// <param name="tls">With a certificate of its own, and so HTTP/2.</param>
    public static async Task<SparseServer> StartAsync(bool tls = false)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen =>
        {
            listen.Protocols = tls ? HttpProtocols.Http1AndHttp2 : HttpProtocols.Http1;
            if (tls) listen.UseHttps(Certificate());
        }));
        var server = new SparseServer(builder.Build());
        server._app.Run(server.AnswerAsync);
        server.Config("""{"dl":"https://static.example/crates"}""");
        await server._app.StartAsync();
        return server;
    }

    public void Config(string content) => this["config.json"] = context => FileAsync(context, content, modified: null);

    /// <summary>Puts crates' files; null removes one.</summary>
    public void Put(params (string Crate, string? Content)[] files)
    {
        foreach (var (crate, content) in files)
        {
            if (content is null) _files.TryRemove(IndexPath.Of(crate), out _);
            else this[IndexPath.Of(crate)] = context => FileAsync(context, content, modified: null);
        }
    }

    /// <summary>Puts a file that is known again by its time alone.</summary>
    public void PutDated(string crate, string content, string modified) => this[IndexPath.Of(crate)] = context => FileAsync(context, content, modified);

    /// <summary>Puts what answers with a status.</summary>
    public static RequestDelegate Status(int status) => context =>
    {
        context.Response.StatusCode = status;
        return Task.CompletedTask;
    };

    /// <summary>What sends elsewhere.</summary>
    public static RequestDelegate Redirect(string to) => context =>
    {
        context.Response.StatusCode = 302;
        context.Response.Headers.Location = to;
        return Task.CompletedTask;
    };

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync(new CancellationToken(canceled: true));
        await _app.DisposeAsync();
    }

    private async Task AnswerAsync(HttpContext context)
    {
        var path = context.Request.Path.Value!["/index/".Length..];
        if (_files.TryGetValue(path, out var answer)) await answer(context);
        else context.Response.StatusCode = 404;
        _asked.Enqueue($"{context.Request.Protocol} {context.Response.StatusCode} {path}");
    }

    private static async Task FileAsync(HttpContext context, string content, string? modified)
    {
        var bytes = Encoding.UTF8.GetBytes(content);
        var etag = $"\"{Convert.ToHexStringLower(SHA256.HashData(bytes).AsSpan(0, 8))}\"";
        if (modified is null) context.Response.Headers.ETag = etag;
        else context.Response.Headers.LastModified = modified;
        if (modified is null ? context.Request.Headers.IfNoneMatch == etag : context.Request.Headers.IfModifiedSince == modified)
        {
            context.Response.StatusCode = 304;
            return;
        }

        context.Response.ContentLength = bytes.Length;
        await context.Response.Body.WriteAsync(bytes);
    }

    private static X509Certificate2 Certificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var made = new CertificateRequest("CN=upstream", key, HashAlgorithmName.SHA256).CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.MaxValue);
        return X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), null);
    }
}
