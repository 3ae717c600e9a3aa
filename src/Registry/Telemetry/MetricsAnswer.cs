using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Pipeline.Registry.Telemetry;

/// <summary>
/// <c>GET /metrics</c>. Whoever reaches the port may read it, as <c>/healthz</c>, also where reading the registry needs a token: it holds
/// numbers, names of stages and of configured targets, and nothing of crates, users or tokens.
/// </summary>
public sealed class MetricsAnswer(PrometheusText text, StandingCache standing)
{
    /// <summary>Its path.</summary>
    public const string Path = "/metrics";

    private static readonly string[] Methods = [HttpMethods.Get, HttpMethods.Head];

    /// <summary>Maps it, in a process that has telemetry.</summary>
    public static void Map(IEndpointRouteBuilder routes)
    {
        ArgumentNullException.ThrowIfNull(routes);
        if (routes.ServiceProvider.GetService<MetricsAnswer>() is { } answer) routes.MapMethods(Path, Methods, answer.WriteAsync).ExcludeFromDescription();
    }

    /// <summary>Answers.</summary>
    internal async Task WriteAsync(HttpContext context)
    {
        // Read here, without a thread that waits; what observes finds it fresh.
        await standing.ReadAsync().ConfigureAwait(false);
        var body = Encoding.UTF8.GetBytes(text.Scrape());
        context.Response.ContentType = PrometheusText.ContentType;
        context.Response.Headers.CacheControl = "no-store";
        context.Response.ContentLength = body.Length;
        if (!HttpMethods.IsHead(context.Request.Method)) await context.Response.Body.WriteAsync(body, context.RequestAborted).ConfigureAwait(false);
    }
}
