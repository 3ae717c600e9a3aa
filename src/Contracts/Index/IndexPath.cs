namespace Pipeline.Contracts.Index;

/// <summary>Where a crate's index file lies, in the git index and in the sparse index alike.</summary>
public static class IndexPath
{
    /// <summary>
    /// The path below the index root, with <c>/</c> and without a leading one (crates-io-behaviour §3.5): the name in lower case,
    /// <c>-</c> and <c>_</c> kept apart, below folders made of its first characters.
    /// </summary>
    /// <param name="crateName">A crate's name that has passed the naming rules, so ASCII.</param>
    /// <exception cref="ArgumentException">The name is empty.</exception>
    public static string Of(string crateName)
    {
        ArgumentException.ThrowIfNullOrEmpty(crateName);
        var name = crateName.ToLowerInvariant();
        return name.Length switch
        {
            1 => $"1/{name}",
            2 => $"2/{name}",
            3 => $"3/{name[0]}/{name}",
            _ => $"{name.AsSpan(0, 2)}/{name.AsSpan(2, 2)}/{name}",
        };
    }
}
