using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Pipeline.Contracts;
using Pipeline.Registry.Database;
using Pipeline.Registry.Truth;

namespace Pipeline.Api.Publishing;

/// <summary>
/// <c>GET /api/v1/publishes/{id}</c>: where a publish is, how long each stage took and what the verdict was, from the moment its PUT
/// was parked. The id is the capability: it cannot be guessed, and whoever made the PUT has it.
/// </summary>
internal sealed class PublishStatus(IDatabase database)
{
    private static readonly JsonWriterOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, Indented = false };

    /// <summary>Maps the endpoint.</summary>
    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapGet("/api/v1/publishes/{id}", static (HttpContext context, string id, PublishStatus endpoint) => endpoint.HandleAsync(context, id));

    /// <summary>The status of a publish as JSON, or null when there is none. Also what the admin API and the console show.</summary>
    public static async ValueTask<byte[]?> RenderAsync(IDatabase database, string id)
    {
        ArgumentNullException.ThrowIfNull(database);
        var status = await database.ReadAsync(sql => PublishTimeline.FindAsync(sql, id)).ConfigureAwait(false);
        if (status is null) return null;
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, Plain)) Write(json, status);
        return buffer.ToArray();
    }

    private async Task HandleAsync(HttpContext context, string id)
    {
        var body = PublishId.TryParse(id, out var publish) ? await RenderAsync(database, publish.ToString()).ConfigureAwait(false) : null;
        if (body is null)
        {
            await ApiErrors.WriteAsync(context, StatusCodes.Status404NotFound, $"publish `{id}` does not exist").ConfigureAwait(false);
            return;
        }

        context.Response.ContentType = "application/json";
        context.Response.Headers.CacheControl = "no-store";
        context.Response.ContentLength = body.Length;
        await context.Response.Body.WriteAsync(body).ConfigureAwait(false);
    }

    private static void Write(Utf8JsonWriter json, PublishTimeline publish)
    {
        json.WriteStartObject();
        json.WriteStartObject("publish");
        json.WriteString("id", publish.Id);
        json.WriteString("crate", publish.Name);
        json.WriteString("version", publish.Num);
        json.WriteString("checksum", publish.Checksum);
        json.WriteNumber("size_bytes", publish.Size);
        json.WriteString("state", publish.State);
        WriteTime(json, "received_at", publish.ReceivedAt);
        WriteTime(json, "decided_at", publish.DecidedAt);
        WriteTime(json, "deadline_at", publish.DeadlineAt);
        json.WriteNumber("attempts", publish.Attempts);
        json.WriteString("last_error", publish.LastError);
        WriteTime(json, "next_try_at", publish.NextTryAt is { } next && next < Registry.Failures.FailureLog.Parked ? next : null);
        json.WriteString("trace_id", publish.TraceParent?.Split('-') is [_, var trace, ..] ? trace : null);
        json.WriteStartArray("stages");
        foreach (var stage in publish.Stages) WriteStage(json, stage);
        json.WriteEndArray();
        WriteVerdict(json, publish);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteStage(Utf8JsonWriter json, StageTimes stage)
    {
        json.WriteStartObject();
        json.WriteString("stage", stage.Stage);
        json.WriteString("state", stage.State);
        WriteTime(json, "started_at", stage.StartedAt);
        WriteTime(json, "ended_at", stage.EndedAt);
        if (stage is { StartedAt: { } from, EndedAt: { } to }) json.WriteNumber("duration_ms", (to - from) / 1000.0);
        else json.WriteNull("duration_ms");
        json.WriteEndObject();
    }

    private static void WriteVerdict(Utf8JsonWriter json, PublishTimeline publish)
    {
        if (publish.DecidedAt is null)
        {
            json.WriteNull("verdict");
            return;
        }

        json.WriteStartObject("verdict");
        json.WriteBoolean("accepted", publish.State == PublishStates.Accepted);
        json.WriteString("code", publish.Reject?.Code);
        if (publish.Reject is { } reject) json.WriteNumber("status", reject.Status);
        else json.WriteNull("status");
        json.WriteString("detail", publish.Reject?.Text);
        json.WriteEndObject();
    }

    private static void WriteTime(Utf8JsonWriter json, string name, long? microseconds)
    {
        if (microseconds is { } at) json.WriteString(name, Microseconds.Time(at).UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", System.Globalization.CultureInfo.InvariantCulture));
        else json.WriteNull(name);
    }
}
