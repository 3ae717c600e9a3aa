using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;
using Pipeline.Registry.Database;
using Pipeline.Registry.Failures;
using Pipeline.Registry.Store;

namespace Pipeline.Api.Http;

/// <summary>Whether the process lives, and whether it can work.</summary>
public sealed class HealthEndpoints(IDatabase database, IObjectStore store, ILogger<HealthEndpoints> logger)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>Maps the endpoints.</summary>
    public static IEndpointRouteBuilder Map(IEndpointRouteBuilder routes)
    {
        routes.MapRead("/healthz", static () => JsonAnswer.Ok).WithSummary("The process lives");
        routes.MapRead("/readyz", static (HealthEndpoints health, HttpContext context) => health.ReadyAsync(context)).WithSummary("Database and object store can be reached");
        return routes;
    }

    private async Task<IResult> ReadyAsync(HttpContext context)
    {
        context.Response.Headers.CacheControl = "no-store";
        var missing = await TryAsync("database", cancellation => database.ReadAsync(static sql => sql.NowAsync(), cancellation), context.RequestAborted).ConfigureAwait(false)
            ?? await TryAsync("object store", cancellation => ProbeAsync(store, cancellation), context.RequestAborted).ConfigureAwait(false);
        return missing is null ? JsonAnswer.Ok : throw new TransientException("not-ready", missing);
    }

    private static async ValueTask<bool> ProbeAsync(IObjectStore store, CancellationToken cancellationToken)
    {
        await store.ProbeAsync(cancellationToken).ConfigureAwait(false);
        return true;
    }

    /// <summary>What cannot be reached; null: it can.</summary>
    private async ValueTask<string?> TryAsync<T>(string what, Func<CancellationToken, ValueTask<T>> probe, CancellationToken requestAborted)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(requestAborted);
        patience.CancelAfter(Patience);
        try
        {
            await probe(patience.Token).ConfigureAwait(false);
            return null;
        }
        catch (Exception e) when (!requestAborted.IsCancellationRequested)
        {
            logger.LogDebug(e, "not ready: {What}", what);
            return $"the {what} cannot be reached";
        }
    }
}
