using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Pipeline.Contracts;

namespace Pipeline.Api.Http;

/// <summary>Reads small JSON bodies: bounded in size and depth, whatever content type they claim (cargo sends none or any).</summary>
public static class RequestJson
{
    /// <summary>The most bytes of a body.</summary>
    public const int MaxBytes = 64 * 1024;

    private const int MaxDepth = 16;

    /// <summary>The body as JSON, or why not: 413 for its size, 400 for its form. The caller disposes the document.</summary>
    public static async ValueTask<RequestBody> ReadAsync(HttpContext context)
    {
        if (context.Request.ContentLength > MaxBytes) return TooLarge();
        var buffer = ArrayPool<byte>.Shared.Rent(MaxBytes + 1);
        try
        {
            var length = await FillAsync(context, buffer).ConfigureAwait(false);
            if (length > MaxBytes) return TooLarge();
            // As cargo sends it after `owner --remove … --list` (cargo-client-behaviour §1.3).
            if (length == 0) return new RequestBody(null, new Reject(RejectCodes.InvalidRequest, 400, "the request body is empty; JSON was expected"));
            var json = buffer.AsMemory(0, length).ToArray();
            if (JsonUnicode.Trouble(json, MaxDepth) is { } trouble) return new RequestBody(null, new Reject(RejectCodes.InvalidRequest, 400, $"the request body is not valid JSON: {trouble}"));
            return new RequestBody(JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = MaxDepth }), null);
        }
        catch (JsonException e)
        {
            return new RequestBody(null, new Reject(RejectCodes.InvalidRequest, 400, $"the request body is not valid JSON: {e.Message}"));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>The list of texts that is a member of an object; null: there is none, or it is none.</summary>
    public static List<string>? Texts(this JsonElement json, string name)
    {
        if (!json.TryGetProperty(name, out var list) || list.ValueKind != JsonValueKind.Array) return null;
        var texts = new List<string>(list.GetArrayLength());
        foreach (var item in list.EnumerateArray())
        {
            if (item.ValueKind != JsonValueKind.String) return null;
            texts.Add(item.GetString()!);
        }

        return texts;
    }

    /// <summary>The refusal of JSON that has another shape than the endpoint reads.</summary>
    /// <param name="what">What was looked for, as a clause: <c>a list of logins under `users`</c>.</param>
    public static Reject Shape(string what) => new(RejectCodes.InvalidRequest, 422, $"the request body must have {what:whole}");

    private static async ValueTask<int> FillAsync(HttpContext context, byte[] buffer)
    {
        var length = 0;
        while (length <= MaxBytes)
        {
            var read = await context.Request.Body.ReadAsync(buffer.AsMemory(length, MaxBytes + 1 - length), context.RequestAborted).ConfigureAwait(false);
            if (read == 0) break;
            length += read;
        }

        return length;
    }

    private static RequestBody TooLarge() =>
        new(null, new Reject(RejectCodes.LimitExceeded, StatusCodes.Status413PayloadTooLarge, $"the request body is larger than {MaxBytes} bytes"));
}

/// <summary>A body that was read, or why it was not.</summary>
/// <param name="Document">The JSON.</param>
/// <param name="Reject">The refusal.</param>
public readonly record struct RequestBody(JsonDocument? Document, Reject? Reject) : IDisposable
{
    /// <summary>Whether there is a document.</summary>
    [MemberNotNullWhen(true, nameof(Document))]
    [MemberNotNullWhen(false, nameof(Reject))]
    public bool IsJson => Document is not null;

    /// <inheritdoc/>
    public void Dispose() => Document?.Dispose();
}
