using System.Text;
using System.Text.Json;

namespace Pipeline.Registry.Upstreams;

/// <summary>An upstream's <c>config.json</c>. It is read for where the files are and never shown: ours always stands in our index.</summary>
public static class UpstreamConfig
{
    /// <summary>The most bytes that are looked at.</summary>
    public const int MaxBytes = 64 << 10;

    /// <summary>Its bytes as a text; null: they are none, or too many.</summary>
    public static string? Read(ReadOnlySpan<byte> bytes) => bytes.Length <= MaxBytes && DlOf(Encoding.UTF8.GetString(bytes)) is not null ? Encoding.UTF8.GetString(bytes) : null;

    /// <summary>Its <c>dl</c>; null: it has none, or none that is an http or https URL.</summary>
    public static string? DlOf(string? config)
    {
        if (config is null) return null;
        try
        {
            using var json = JsonDocument.Parse(config);
            return json.RootElement.ValueKind == JsonValueKind.Object && json.RootElement.TryGetProperty("dl", out var dl) && dl.ValueKind == JsonValueKind.String
                && DownloadUrl.IsTemplate(dl.GetString()!) ? dl.GetString() : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
