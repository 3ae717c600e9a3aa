using System.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Logging;
using Pipeline.Registry.Failures;

namespace Pipeline.Api.Http;

/// <summary>
/// The outermost step: what nobody answered and what failed leaves as the one shape of errors that cargo reads
/// (crates-io-behaviour §0.2). A failure is logged here, once, with its trace id.
/// </summary>
public sealed class ErrorMiddleware(RequestDelegate next, ILogger<ErrorMiddleware> logger)
{
    private const int ClientWentAway = 499;

    /// <summary>Runs the rest of the pipeline.</summary>
    public async Task InvokeAsync(HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        // Much of what is served is strangers' text: a browser must take it for what it is labelled as.
        context.Response.Headers.XContentTypeOptions = "nosniff";
        try
        {
            await next(context).ConfigureAwait(false);
            if (!context.Response.HasStarted && IsUnanswered(context.Response)) await ApiErrors.WriteAsync(context, context.Response.StatusCode, ReasonPhrases.GetReasonPhrase(context.Response.StatusCode)).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            if (!await FailAsync(context, e).ConfigureAwait(false)) throw;
        }
    }

    // Routing answers an unknown path or method, and a parameter of another form than its endpoint reads, with a bare status.
    private static bool IsUnanswered(HttpResponse response) =>
        response.StatusCode is StatusCodes.Status400BadRequest or StatusCodes.Status404NotFound or StatusCodes.Status405MethodNotAllowed or StatusCodes.Status415UnsupportedMediaType
        && response.ContentLength is null && response.ContentType is null;

    /// <summary>Answers for a failure; false: the answer has begun and the connection must be cut instead.</summary>
    private async ValueTask<bool> FailAsync(HttpContext context, Exception e)
    {
        if (context.RequestAborted.IsCancellationRequested)
        {
            logger.LogDebug(e, "the client went away from {Method} {Path}", context.Request.Method, context.Request.Path.Value);
            if (!context.Response.HasStarted) context.Response.StatusCode = ClientWentAway;
            return true;
        }

        var (status, detail) = Judge(BodyTrouble.Of(e) ?? e);
        if (status >= StatusCodes.Status500InternalServerError) Log(context, e, status);
        if (context.Response.HasStarted) return false;
        context.Response.Clear();
        context.Response.Headers.XContentTypeOptions = "nosniff";
        // What is left of such a body nobody waits for.
        if (status is StatusCodes.Status408RequestTimeout or StatusCodes.Status413PayloadTooLarge) context.Response.Headers.Connection = "close";
        await ApiErrors.WriteAsync(context, status, detail).ConfigureAwait(false);
        return true;
    }

    private static (int Status, string Detail) Judge(Exception e) => e switch
    {
        TransientException transient => (StatusCodes.Status503ServiceUnavailable, $"Service unavailable: {transient.Message}"),
        BadHttpRequestException bad => (bad.StatusCode, bad.Message),
        _ => (StatusCodes.Status500InternalServerError, "Internal Server Error"),
    };

    private void Log(HttpContext context, Exception e, int status)
    {
        var trace = Activity.Current?.TraceId.ToHexString() ?? context.TraceIdentifier;
        if (status == StatusCodes.Status503ServiceUnavailable)
            logger.LogWarning(e, "{Method} {Path} answered {Status}, trace {TraceId}", context.Request.Method, context.Request.Path.Value, status, trace);
        else logger.LogError(e, "{Method} {Path} failed, trace {TraceId}", context.Request.Method, context.Request.Path.Value, trace);
    }
}
