using System.Text.Json;

namespace Pipeline.Workers.Tarballs;

/// <summary>Reads <c>.cargo_vcs_info.json</c> (crates-io-behaviour §2.8): one key, everything else ignored.</summary>
internal static class VcsInfo
{
    /// <summary><c>path_in_vcs</c>, empty when it is missing; null when the text is no JSON object, or the key is no string or stands there twice.</summary>
    public static string? ReadPath(ReadOnlySpan<byte> json)
    {
        try
        {
            var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 128 });
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject) return null;
            string? path = null;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var isPath = reader.ValueTextEquals("path_in_vcs"u8);
                reader.Read();
                if (!isPath) reader.Skip();
                else if (path is not null || reader.TokenType != JsonTokenType.String) return null;
                else path = reader.GetString();
            }
            return reader.TokenType == JsonTokenType.EndObject && !reader.Read() ? path ?? "" : null;
        }
        catch (JsonException)
        {
            return null;
        }
        catch (InvalidOperationException)
        {
            // An escape in the text is half of a surrogate pair.
            return null;
        }
    }
}
