using System.Diagnostics.CodeAnalysis;
using Pipeline.Contracts;
using Pipeline.Workers.Manifests.Toml;

namespace Pipeline.Workers.Manifests;

/// <summary>
/// Reads a normalised <c>Cargo.toml</c> (crates-io-behaviour §2.5) and holds it against the rules that need nothing but
/// itself (§2.6). Names, versions, requirements, licences and limits are judged later; unknown keys are passed over.
/// </summary>
public static class ManifestReader
{
    /// <summary>Reads a manifest from the bytes of its file.</summary>
    /// <param name="utf8">The file; bytes that are not UTF-8 are refused.</param>
    /// <param name="manifest">The manifest on success.</param>
    /// <param name="reject">Otherwise why it is refused: <see cref="RejectCodes.InvalidManifest"/>, 400.</param>
    /// <returns>Whether the manifest was accepted.</returns>
    public static bool TryRead(ReadOnlySpan<byte> utf8, [NotNullWhen(true)] out Manifest? manifest, [NotNullWhen(false)] out Reject? reject)
    {
        if (TomlParser.TryDecode(utf8, out var text, out var error))
            return TryRead(text, out manifest, out reject);
        manifest = null;
        reject = ManifestReject.Because(error.Render());
        return false;
    }

    /// <summary>Reads a manifest from its text.</summary>
    /// <param name="text">The text of the file.</param>
    /// <param name="manifest">The manifest on success.</param>
    /// <param name="reject">Otherwise why it is refused: <see cref="RejectCodes.InvalidManifest"/>, 400.</param>
    /// <returns>Whether the manifest was accepted.</returns>
    public static bool TryRead(string text, [NotNullWhen(true)] out Manifest? manifest, [NotNullWhen(false)] out Reject? reject)
    {
        manifest = null;
        reject = null;
        if (!TomlParser.TryParse(text, out var root, out var error))
        {
            reject = ManifestReject.Because(error.Render());
            return false;
        }
        var shape = new ManifestShape(text);
        var tables = ManifestTables.Read(root, shape);
        if (shape.Error is { } mismatch)
            reject = ManifestReject.Because(mismatch.Render());
        else if (tables.FirstBrokenRule() is { } rule)
            reject = ManifestReject.Because(rule);
        else
            manifest = tables.ToManifest();
        return reject is null;
    }
}
