using System.Diagnostics.CodeAnalysis;
using Pipeline.Contracts.Publishing;

namespace Pipeline.Api.Publishing;

/// <summary>
/// What is read of the JSON part of a publish (crates-io-behaviour §1.2). Everything else cargo sends there is read from the manifest in
/// the archive instead, so it is ignored, whatever its type.
/// </summary>
/// <param name="Name">The crate's name; no rule has been applied.</param>
/// <param name="Vers">The version; not yet known to be one.</param>
/// <param name="Readme">The README's source, if any.</param>
/// <param name="ReadmeFile">The README's path, if any.</param>
/// <param name="Dependencies">The dependencies it lists; entries of an unexpected shape count as not listed.</param>
public sealed record PublishMetadata(
    string Name,
    string Vers,
    string? Readme,
    string? ReadmeFile,
    IReadOnlyList<ClaimedDependency> Dependencies)
{
    /// <summary>Reads the JSON, whose size the caller has bounded, in one pass.</summary>
    /// <param name="json">The bytes of the JSON part.</param>
    /// <param name="metadata">What it says; null when it is not a publish.</param>
    /// <param name="error">
    /// Why it is not, in serde_json's words: what follows <c>invalid upload request: </c> in crates.io's answer (§1.4 row 4).
    /// </param>
    public static bool TryParse(
        ReadOnlySpan<byte> json,
        [NotNullWhen(true)] out PublishMetadata? metadata,
        [NotNullWhen(false)] out string? error)
    {
        var reader = new PublishJsonReader(json);
        metadata = reader.Read(out error);
        return metadata is not null;
    }
}
