using System.Text;
using Pipeline.Registry.Upstreams;
using Pipeline.Workers.Manifests;
using Pipeline.Workers.Tarballs;

namespace Pipeline.Workers.Fetching;

/// <summary>
/// Reads the manifest of a fetched archive. Only as far as that one goes, and with the bounds of uploads: what our rules would not take is
/// mirrored all the same, its description is just not known.
/// </summary>
public static class FetchedManifest
{
    // Cargo packs the manifest among the first files. What stands before it is unpacked to get there.
    private const long MostUnpacked = 64 << 20;
    private const int MostEntries = 10_000;

    private const int MostDescription = 4000;
    private const int MostText = 1000;
    private const int MostWords = 20;
    private const int MostWord = 100;

    /// <summary>What the manifest says; null: there is none that can be read, or it is another crate's.</summary>
    /// <param name="archive">The archive, gzip; read forward.</param>
    /// <param name="name">The crate's name.</param>
    /// <param name="num">The version.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public static FileMetadata? Read(Stream archive, string name, string num, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(archive);
        if (FindText(archive, $"{name}-{num}", cancellationToken) is not { } text || !ManifestReader.TryRead(text, out var manifest, out _)) return null;
        return manifest.Name == name && manifest.Version == num ? Of(manifest) : null;
    }

    private static byte[]? FindText(Stream archive, string root, CancellationToken cancellationToken)
    {
        using var source = new CompressedSource(archive, cancellationToken);
        using var member = new GzipMember(source);
        using var input = new UnpackedInput(member, MostUnpacked);
        using var walker = new TarWalker(input);
        var path = Encoding.UTF8.GetBytes($"{root}/Cargo.toml");
        for (var entries = 0; entries < MostEntries && walker.Next() == Step.Entry; entries++)
        {
            if (!walker.Path.SequenceEqual(path) || walker.Type is not ((byte)'0' or 0)) continue;
            if (walker.Size > TarballBounds.ManifestBytes) return null;
            var text = new byte[walker.Size];
            return walker.ReadContent(text, out _) == Filling.Whole ? text : null;
        }

        return null;
    }

    private static FileMetadata Of(Manifest manifest) => new()
    {
        Description = Cut(manifest.Description, MostDescription),
        Homepage = Url(manifest.Homepage),
        Documentation = Url(manifest.Documentation),
        Repository = Url(manifest.Repository),
        License = Cut(manifest.License, MostText),
        Edition = manifest.Edition,
        Keywords = Words(manifest.Keywords),
        Categories = Words(manifest.Categories),
    };

    // Shown as a link: another scheme could be a script.
    private static string? Url(string? text) =>
        text is { Length: <= MostText } && Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https" ? text : null;

    // A zero is what PostgreSQL cannot store.
    private static string? Cut(string? text, int most)
    {
        if (text is null) return null;
        var clean = text.Replace("\0", "", StringComparison.Ordinal);
        if (clean.Length <= most) return clean;
        return char.IsHighSurrogate(clean[most - 1]) ? clean[..(most - 1)] : clean[..most];
    }

    private static List<string> Words(IReadOnlyList<string> words) =>
        [.. words.Where(static word => word.Length is > 0 and <= MostWord && !word.Contains('\0', StringComparison.Ordinal)).Take(MostWords)];
}
