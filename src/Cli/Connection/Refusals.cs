using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using Pipeline.Api.Admin.Shapes;

namespace Pipeline.Cli.Connection;

/// <summary>Reads refusals as cargo does: <c>{"errors":[{"detail"}]}</c>, whatever the status (cargo-client-behaviour §1.2).</summary>
public static class Refusals
{
    private const int ShownBytes = 200;

    /// <summary>The sentence of a refusal.</summary>
    public static string Read(HttpStatusCode status, ReadOnlySpan<byte> body) => Find(body) ?? Unknown(status, body);

    /// <summary>The sentences of an errors body; null when it is something else.</summary>
    public static string? Find(ReadOnlySpan<byte> body)
    {
        try
        {
            var errors = JsonSerializer.Deserialize(body, AdminJson.Default.ErrorsAnswer)?.Errors;
            return errors is null || errors.Any(error => error.Detail is null) ? null : string.Join(", ", errors.Select(error => error.Detail));
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static string Unknown(HttpStatusCode status, ReadOnlySpan<byte> body)
    {
        var text = Encoding.UTF8.GetString(body.Length > ShownBytes ? body[..ShownBytes] : body).Trim();
        var said = text.Length == 0 ? "" : $": {text}";
        return string.Create(CultureInfo.InvariantCulture, $"the server answered with status {(int)status}{said}");
    }
}
