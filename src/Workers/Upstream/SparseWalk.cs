using Pipeline.Contracts.Index;
using Pipeline.Registry.Git;

namespace Pipeline.Workers.Upstream;

/// <summary>A name of an allow-list.</summary>
/// <param name="Canonical">Its canonical form.</param>
/// <param name="Name">As the list spells it.</param>
/// <param name="Mark">What the server said of its file when it was last taken; null: nothing.</param>
public sealed record AllowedName(string Canonical, string Name, FileMark? Mark);

/// <summary>A crate of the upstream that is here.</summary>
/// <param name="Canonical">Its canonical name.</param>
/// <param name="Name">As the upstream spells it.</param>
/// <param name="IsGone">Whether the upstream lost it, and it is kept.</param>
public sealed record HeldCrate(string Canonical, string Name, bool IsGone);

/// <summary>A file to ask for.</summary>
/// <param name="Paths">Where it may be; the first that is there counts.</param>
/// <param name="Mark">What to ask with; null: the file is wanted whatever it is.</param>
/// <param name="Crate">The crate that is here; null: none.</param>
public sealed record SparseAsk(IReadOnlyList<string> Paths, FileMark? Mark, HeldCrate? Crate);

/// <summary>Decides what is asked of a sparse index, which cannot be listed: values in, decision out.</summary>
/// <param name="Asks">The files to ask for, in the order of paths.</param>
/// <param name="Pruned">Paths that are no longer followed and have a crate or a failure here.</param>
public sealed record SparseWalk(IReadOnlyList<SparseAsk> Asks, IReadOnlyList<string> Pruned)
{
    /// <summary>Decides.</summary>
    /// <param name="allowed">The allow-list.</param>
    /// <param name="here">The upstream's crates that are here.</param>
    /// <param name="bad">The paths whose file could not be taken, and whether they are due again. One that is not due is left alone.</param>
    public static SparseWalk Of(IReadOnlyList<AllowedName> allowed, IReadOnlyList<HeldCrate> here, IReadOnlyDictionary<string, bool> bad)
    {
        ArgumentNullException.ThrowIfNull(allowed);
        ArgumentNullException.ThrowIfNull(bad);
        var crates = here.ToDictionary(static crate => crate.Canonical, StringComparer.Ordinal);
        var (asks, known) = (new List<SparseAsk>(allowed.Count), new HashSet<string>(StringComparer.Ordinal));
        foreach (var name in allowed)
        {
            var crate = crates.GetValueOrDefault(name.Canonical);
            var paths = Paths(name.Name, crate);
            known.UnionWith(paths);
            var failures = paths.Where(bad.ContainsKey).ToList();
            if (failures.Exists(path => !bad[path])) continue;
            // What is not here, or was not to be had, is wanted as it is now, though the server may think that we have it.
            asks.Add(new SparseAsk(paths, crate is { IsGone: false } && failures.Count == 0 ? name.Mark : null, crate));
        }

        asks.Sort(static (x, y) => string.CompareOrdinal(x.Paths[0], y.Paths[0]));
        var names = allowed.Select(static name => name.Canonical).ToHashSet(StringComparer.Ordinal);
        var unfollowed = here.Where(crate => !names.Contains(crate.Canonical)).Select(static crate => IndexPath.Of(crate.Name));
        return new SparseWalk(asks, [.. unfollowed.Union(bad.Keys.Where(path => path != IndexRepository.ConfigPath && !known.Contains(path)))]);
    }

    // Lists are written by hand, so `-` and `_` may stand for each other; a crate that is here has said how it is spelt.
    private static List<string> Paths(string name, HeldCrate? crate) => crate is { IsGone: false }
        ? [IndexPath.Of(crate.Name)]
        : [.. new[] { name, name.Replace('_', '-'), name.Replace('-', '_') }.Select(IndexPath.Of).Distinct(StringComparer.Ordinal)];
}
