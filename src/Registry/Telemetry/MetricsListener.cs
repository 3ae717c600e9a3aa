using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Pipeline.Registry.Telemetry;

/// <summary>A port of its own for <c>/metrics</c> and <c>/healthz</c>: for processes that serve no API.</summary>
internal sealed class MetricsListener(TelemetryOptions options, MetricsAnswer metrics, ILogger<MetricsListener> logger) : IHostedService, IAsyncDisposable
{
    private WebApplication? _app;

    /// <inheritdoc/>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = 0;
            kestrel.Listen(IPAddress.Parse(options.MetricsListen), options.MetricsPort!.Value);
        });
        _app = builder.Build();
        _app.Run(AnswerAsync);
        await _app.StartAsync(cancellationToken).ConfigureAwait(false);
        logger.LogInformation("metrics at {Url}/metrics", _app.Urls.First());
    }

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken) => _app?.StopAsync(cancellationToken) ?? Task.CompletedTask;

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _app?.DisposeAsync() ?? ValueTask.CompletedTask;

    private Task AnswerAsync(HttpContext context)
    {
        if (context.Request.Path == MetricsAnswer.Path) return metrics.WriteAsync(context);
        context.Response.StatusCode = context.Request.Path == "/healthz" ? StatusCodes.Status200OK : StatusCodes.Status404NotFound;
        return Task.CompletedTask;
    }
}
