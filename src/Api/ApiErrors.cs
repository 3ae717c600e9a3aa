using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Pipeline.Contracts;

namespace Pipeline.Api;

/// <summary>The one shape of errors that cargo reads: <c>{"errors":[{"detail":"…"}]}</c> with a real status (cargo-client-behaviour §1.2).</summary>
public static class ApiErrors
{
    private static readonly JsonWriterOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Answers with a refusal.</summary>
    public static Task WriteAsync(HttpContext context, Reject reject) => WriteAsync(context, reject.Status, reject.Text);

    /// <summary>Answers with a status and one sentence.</summary>
    public static Task WriteAsync(HttpContext context, int status, Sentence detail) => WriteTextAsync(context, status, detail.ToText());

    private static async Task WriteTextAsync(HttpContext context, int status, string detail)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        var body = Body(detail);
        context.Response.ContentLength = body.Length;
        await context.Response.Body.WriteAsync(body).ConfigureAwait(false);
    }

    /// <summary>The bytes of the error body.</summary>
    public static byte[] Body(string detail)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, Plain))
        {
            json.WriteStartObject();
            json.WriteStartArray("errors");
            json.WriteStartObject();
            json.WriteString("detail", Quoted.Text(detail));
            json.WriteEndObject();
            json.WriteEndArray();
            json.WriteEndObject();
        }

        return buffer.ToArray();
    }
}
