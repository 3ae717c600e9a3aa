namespace Pipeline.Workers.Manifests.Toml;

/// <summary>Prepares text from a document for a message.</summary>
internal static class TomlQuote
{
    private const int Longest = 200;

    /// <summary>The text, or its beginning with an ellipsis: a message must stay short whatever the document holds.</summary>
    public static string Shorten(string text)
    {
        if (text.Length <= Longest)
            return text;
        var end = char.IsHighSurrogate(text[Longest - 1]) ? Longest - 1 : Longest;
        return string.Concat(text.AsSpan(0, end), "…");
    }
}
