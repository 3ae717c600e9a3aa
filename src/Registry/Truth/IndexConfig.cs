using System.Text.Encodings.Web;
using System.Text.Json;
using Pipeline.Registry.Options;

namespace Pipeline.Registry.Truth;

/// <summary>The index's <c>config.json</c>: the same bytes in the git and in the sparse index (cargo-client-behaviour §3.2).</summary>
public static class IndexConfig
{
    private static readonly JsonWriterOptions Indented = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Renders it; it ends with a line break.</summary>
    public static byte[] Render(RegistryOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, Indented))
        {
            json.WriteStartObject();
            // cargo escapes nothing when it fills the markers in: a version's + arrives as it is.
            json.WriteString("dl", $"{options.PublicUrl}/crates/{{crate}}/{{crate}}-{{version}}.crate");
            json.WriteString("api", options.PublicUrl);
            if (options.AuthRequired) json.WriteBoolean("auth-required", true);
            json.WriteEndObject();
        }

        buffer.WriteByte((byte)'\n');
        return buffer.ToArray();
    }
}
