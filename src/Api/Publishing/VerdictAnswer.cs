using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Pipeline.Api.Crates;
using Pipeline.Registry.Options;

namespace Pipeline.Api.Publishing;

/// <summary>
/// Answers a PUT with the verdict (design §3 "Verdict"; cargo-client-behaviour §1.4). While nothing was sent the status can still be
/// chosen; then 200 and blanks keep cargo listening, and the body says it all the same: errors in a 200 are errors to cargo.
/// </summary>
internal sealed class VerdictAnswer(VerdictWaiters waiters, PublishOptions options, RegistryOptions registry, IHostApplicationLifetime lifetime)
{
    // cargo gives up below 10 bytes per second over 30 s: 128 bytes every few seconds are plenty.
    private static readonly byte[] Blanks = Encoding.ASCII.GetBytes(new string(' ', 127) + "\n");
    private static readonly JsonWriterOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Whether a request wants no verdict but the address where it will stand.</summary>
    internal static bool PrefersAsync(HttpRequest request) =>
        request.Headers["Prefer"].Any(value => value is not null && value.Split(',').Any(part => part.Split(';')[0].Trim().Equals("respond-async", StringComparison.OrdinalIgnoreCase)));

    /// <summary>Waits and answers.</summary>
    /// <param name="context">The request.</param>
    /// <param name="publishId">The publish that is parked.</param>
    /// <param name="ring">Rings its first stage; called once the wait has begun.</param>
    public async Task WriteAsync(HttpContext context, string publishId, Func<ValueTask> ring)
    {
        context.Response.Headers["Publish-Id"] = publishId;
        if (PrefersAsync(context.Request))
        {
            await ring().ConfigureAwait(false);
            await WriteAcceptedForLaterAsync(context, publishId).ConfigureAwait(false);
            return;
        }

        var waiting = waiters.Enter(publishId);
        try
        {
            await ring().ConfigureAwait(false);
            // A registry that stops ends its requests with what it knows: the publish itself goes on at the next start.
            using var ended = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lifetime.ApplicationStopping);
            if (await WaitAsync(waiting, options.HoldSeconds, ended.Token).ConfigureAwait(false)) await WriteVerdictAsync(context, await waiting.ConfigureAwait(false)).ConfigureAwait(false);
            else await WriteTailAsync(context, publishId, waiting, ended.Token).ConfigureAwait(false);
        }
        finally
        {
            waiters.Leave(publishId);
        }
    }

    private static async Task<bool> WaitAsync(Task<Decided> waiting, double seconds, CancellationToken ended)
    {
        try
        {
            await waiting.WaitAsync(TimeSpan.FromSeconds(seconds), ended).ConfigureAwait(false);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
        catch (OperationCanceledException)
        {
            return waiting.IsCompletedSuccessfully;
        }
    }

    private static async Task WriteVerdictAsync(HttpContext context, Decided decided)
    {
        if (decided.Verdict.Reject is { } reject) await ApiErrors.WriteAsync(context, reject).ConfigureAwait(false);
        else await WriteJsonAsync(context, StatusCodes.Status200OK, Accepted(decided)).ConfigureAwait(false);
    }

    private async Task WriteTailAsync(HttpContext context, string publishId, Task<Decided> waiting, CancellationToken ended)
    {
        if (ended.IsCancellationRequested)
        {
            await waiters.KeepAsync(publishId).ConfigureAwait(false);
            await WriteJsonAsync(context, StatusCodes.Status200OK, Undecided(publishId)).ConfigureAwait(false);
            return;
        }

        context.Response.StatusCode = StatusCodes.Status200OK;
        context.Response.ContentType = "application/json";
        // Proxies that gather a response would defeat the blanks.
        context.Response.Headers["X-Accel-Buffering"] = "no";
        for (var left = options.TailSeconds; left > 0 && !ended.IsCancellationRequested; left -= options.BlankSeconds)
        {
            await context.Response.Body.WriteAsync(Blanks, context.RequestAborted).ConfigureAwait(false);
            await context.Response.Body.FlushAsync(context.RequestAborted).ConfigureAwait(false);
            if (await WaitAsync(waiting, Math.Min(left, options.BlankSeconds), ended).ConfigureAwait(false)) break;
        }

        if (!waiting.IsCompletedSuccessfully) await waiters.KeepAsync(publishId).ConfigureAwait(false);
        var body = waiting.IsCompletedSuccessfully ? Late(await waiting.ConfigureAwait(false)) : Undecided(publishId);
        await context.Response.Body.WriteAsync(body, context.RequestAborted).ConfigureAwait(false);
    }

    private static byte[] Late(Decided decided) => decided.Verdict.Reject is { } reject ? ApiErrors.Body(reject.Text) : Accepted(decided);

    private async Task WriteAcceptedForLaterAsync(HttpContext context, string publishId)
    {
        context.Response.Headers.Location = StatusUrl(publishId);
        context.Response.Headers["Preference-Applied"] = "respond-async";
        await WriteJsonAsync(context, StatusCodes.Status202Accepted, Undecided(publishId)).ConfigureAwait(false);
    }

    private static byte[] Accepted(Decided decided) => Json(json =>
    {
        json.WritePropertyName("crate");
        CrateJson.Write(json, decided.Crate ?? throw new InvalidOperationException("the crate was deleted before its publish was answered"));
        WriteWarnings(json, null);
    });

    private byte[] Undecided(string publishId) => Json(json =>
    {
        json.WriteStartObject("publish");
        json.WriteString("id", publishId);
        json.WriteString("status_url", StatusUrl(publishId));
        json.WriteEndObject();
        WriteWarnings(json, $"the publish is kept and still being checked; its verdict will stand at {StatusUrl(publishId)}");
    });

    private string StatusUrl(string publishId) => $"{registry.PublicUrl}/api/v1/publishes/{publishId}";

    private static void WriteWarnings(Utf8JsonWriter json, string? other)
    {
        json.WriteStartObject("warnings");
        json.WriteStartArray("invalid_categories");
        json.WriteEndArray();
        json.WriteStartArray("invalid_badges");
        json.WriteEndArray();
        json.WriteStartArray("other");
        if (other is not null) json.WriteStringValue(other);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static byte[] Json(Action<Utf8JsonWriter> members)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, Plain))
        {
            json.WriteStartObject();
            members(json);
            json.WriteEndObject();
        }

        return buffer.ToArray();
    }

    private static async Task WriteJsonAsync(HttpContext context, int status, byte[] body)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = body.Length;
        await context.Response.Body.WriteAsync(body).ConfigureAwait(false);
    }
}
