using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Pipeline.Api.Http;

/// <summary>A JSON answer, written by hand: the shapes are cargo's and crates.io's, not those of our types.</summary>
/// <param name="write">Writes the body; it must not wait for anything.</param>
/// <param name="status">The status.</param>
internal sealed class JsonAnswer(Action<Utf8JsonWriter> write, int status = StatusCodes.Status200OK) : IResult
{
    // Readers are programs, and the content type with nosniff keeps browsers from taking it for a page.
    private static readonly JsonWriterOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>What cargo wants of yank and unyank: <c>{"ok":true}</c>.</summary>
    public static readonly IResult Ok = new JsonAnswer(static json =>
    {
        json.WriteStartObject();
        json.WriteBoolean("ok", true);
        json.WriteEndObject();
    });

    /// <summary>An empty object.</summary>
    public static readonly IResult Empty = new JsonAnswer(static json =>
    {
        json.WriteStartObject();
        json.WriteEndObject();
    });

    /// <inheritdoc/>
    public async Task ExecuteAsync(HttpContext httpContext)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(buffer, Plain)) write(json);
        var response = httpContext.Response;
        response.StatusCode = status;
        response.ContentType = "application/json";
        response.ContentLength = buffer.WrittenCount;
        await response.Body.WriteAsync(buffer.WrittenMemory, httpContext.RequestAborted).ConfigureAwait(false);
    }
}
