using System.Buffers;

namespace Pipeline.Registry.Git;

/// <summary>
/// Which paths may be written to the index: what crate names and <c>config.json</c> need and nothing else, so that no path can break out
/// of git's command stream, name <c>.git</c> or climb out of a checkout.
/// </summary>
public static class IndexTreePath
{
    private const int MaxLength = 512;
    private static readonly SearchValues<char> Allowed = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-_./");

    /// <summary>Refuses a path that cannot stand in the index.</summary>
    /// <exception cref="ArgumentException">The path is impossible; the message says why.</exception>
    public static void Check(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (path.Length > MaxLength) throw new ArgumentException($"an index path of {path.Length} characters is too long", nameof(path));
        if (path.AsSpan().ContainsAnyExcept(Allowed)) throw new ArgumentException("an index path has a character outside a-z, 0-9, '-', '_' and '.'", nameof(path));
        if (path[0] is '/' or '.' || path[^1] is '/' || path.Contains("/.", StringComparison.Ordinal) || path.Contains("//", StringComparison.Ordinal))
            throw new ArgumentException("an index path has an empty folder or one that begins with a dot", nameof(path));
    }
}
