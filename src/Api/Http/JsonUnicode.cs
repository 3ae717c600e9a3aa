using System.Text.Json;
using System.Text.Unicode;

namespace Pipeline.Api.Http;

/// <summary>
/// Whether every text of a JSON document is Unicode. The framework's parser leaves that to who reads a text, and then throws: half of a
/// surrogate pair in an escape would show as a failure of ours, wherever it is read.
/// </summary>
internal static class JsonUnicode
{
    /// <summary>What is wrong; null: nothing.</summary>
    /// <exception cref="JsonException">It is no JSON at all.</exception>
    public static string? Trouble(ReadOnlySpan<byte> json, int maxDepth)
    {
        if (!Utf8.IsValid(json)) return "it is not UTF-8";
        if (!json.Contains((byte)'\\')) return null;
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = maxDepth });
        try
        {
            while (reader.Read())
            {
                if (reader.TokenType is JsonTokenType.String or JsonTokenType.PropertyName && reader.ValueIsEscaped) reader.GetString();
            }

            return null;
        }
        catch (InvalidOperationException)
        {
            return "a text in it has half of a surrogate pair";
        }
    }
}
