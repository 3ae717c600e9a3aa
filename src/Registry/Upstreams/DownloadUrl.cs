using Pipeline.Contracts.Index;

namespace Pipeline.Registry.Upstreams;

/// <summary>Where an upstream has a file: the <c>dl</c> of its <c>config.json</c>, filled in as Cargo does (cargo-client-behaviour §3.2).</summary>
public static class DownloadUrl
{
    private const string Plain = "/{crate}/{version}/download";

    /// <summary>Whether a text can be a template: an absolute http or https URL, markers aside.</summary>
    public static bool IsTemplate(string template)
    {
        ArgumentNullException.ThrowIfNull(template);
        return template.Length <= 2000 && Uri.TryCreate(template.Replace('{', '_').Replace('}', '_'), UriKind.Absolute, out var url) && url.Scheme is "http" or "https" && url.UserInfo.Length == 0;
    }

    /// <summary>Fills a template in. One without markers gets the path that Cargo appends.</summary>
    /// <param name="template">The template.</param>
    /// <param name="name">The crate's name as the index spells it.</param>
    /// <param name="version">The version as the index spells it.</param>
    /// <param name="checksum">Its checksum.</param>
    public static string Of(string template, string name, string version, string checksum)
    {
        ArgumentNullException.ThrowIfNull(template);
        ArgumentNullException.ThrowIfNull(name);
        string[] markers = ["{crate}", "{version}", "{prefix}", "{lowerprefix}", "{sha256-checksum}"];
        var full = markers.Any(marker => template.Contains(marker, StringComparison.Ordinal)) ? template : template + Plain;
        // The folders of the index path, as spelt and in lower case.
        var lower = IndexPath.Of(name);
        var lowerPrefix = lower[..lower.LastIndexOf('/')];
        var prefix = name.Length switch { 1 => "1", 2 => "2", 3 => $"3/{name[0]}", _ => $"{name[..2]}/{name[2..4]}" };
        return full.Replace("{crate}", name, StringComparison.Ordinal)
            .Replace("{version}", version, StringComparison.Ordinal)
            .Replace("{prefix}", prefix, StringComparison.Ordinal)
            .Replace("{lowerprefix}", lowerPrefix, StringComparison.Ordinal)
            .Replace("{sha256-checksum}", checksum, StringComparison.Ordinal);
    }
}
