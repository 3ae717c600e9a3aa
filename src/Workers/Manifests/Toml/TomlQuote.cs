using Pipeline.Contracts;

namespace Pipeline.Workers.Manifests.Toml;

/// <summary>Prepares text from a document for a message.</summary>
internal static class TomlQuote
{
    /// <summary>The text, or its beginning with an ellipsis: a message must stay short whatever the document holds.</summary>
    public static string Shorten(string text) => Quoted.Value(text);
}
