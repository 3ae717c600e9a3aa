using Pipeline.Contracts;
using Pipeline.Contracts.Index;
using Pipeline.Registry.Failures;
using Pipeline.Registry.Git;

namespace Pipeline.Workers.Upstream;

/// <summary>Decides which paths of an upstream's tree a sync looks at: values in, decision out.</summary>
public static class IndexWalk
{
    // Fewer than these are taken away unasked, whatever share of the mirror they are.
    private const int FewRemovals = 100;
    private const int MostPercent = 10;

    /// <summary>What a path of the index is.</summary>
    public enum PathKind
    {
        /// <summary>No crate's: <c>config.json</c>, a readme, a folder of tools.</summary>
        Other,

        /// <summary>A crate's file.</summary>
        Crate,

        /// <summary>Where a crate's file would be, and no crate can have it.</summary>
        Odd,
    }

    /// <summary>Tells a path (crates-io-behaviour §4.1, "entries listing").</summary>
    public static PathKind KindOf(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (!path.Contains('/', StringComparison.Ordinal) || path[0] == '.') return PathKind.Other;
        var name = SyncPlan.NameOf(path);
        return NameRules.Check(name, NameUse.Crate) is null && IndexPath.Of(name) == path ? PathKind.Crate : PathKind.Odd;
    }

    /// <summary>
    /// What a whole tree lacks or has against what is here: used for a first sync, for a changed allow-list, and when the state last synced is not
    /// to be had any more. Files that are here already are not read.
    /// </summary>
    /// <param name="tree">The upstream's files, in the order of paths.</param>
    /// <param name="here">The blob id per path of the crates that are here.</param>
    /// <param name="allowed">The canonical names that are followed; null: all.</param>
    public static List<TreeFile> Compare(IReadOnlyList<TreeFile> tree, IReadOnlyDictionary<string, string?> here, IReadOnlySet<string>? allowed)
    {
        ArgumentNullException.ThrowIfNull(tree);
        ArgumentNullException.ThrowIfNull(here);
        var (found, looked) = (new HashSet<string>(StringComparer.Ordinal), new List<TreeFile>());
        foreach (var file in tree)
        {
            if (!IsFollowed(file.Path, allowed)) continue;
            found.Add(file.Path);
            if (here.GetValueOrDefault(file.Path) != file.BlobId) looked.Add(file);
        }

        foreach (var path in here.Keys)
        {
            if (!found.Contains(path)) looked.Add(new TreeFile(path, null));
        }

        looked.Sort(static (x, y) => string.CompareOrdinal(x.Path, y.Path));
        return looked;
    }

    /// <summary>The part of a difference that is followed.</summary>
    public static List<TreeFile> Followed(IReadOnlyList<TreeFile> changed, IReadOnlySet<string>? allowed) => [.. changed.Where(file => IsFollowed(file.Path, allowed))];

    /// <summary>Refuses a sync that would take away so much that the upstream's index is more likely broken than meant.</summary>
    /// <param name="gone">How many crates would go.</param>
    /// <param name="here">How many are here.</param>
    /// <exception cref="TransientException">It is too much; an operator can let it pass.</exception>
    public static void CheckRemovals(int gone, int here)
    {
        if (gone <= FewRemovals || gone * 100L <= here * (long)MostPercent) return;
        throw new TransientException(
            "upstream-lost-crates", $"the upstream's index has lost {gone} of {here} crates: if that is meant, let it pass with `pipeline upstream sync NAME --accept-removals`");
    }

    /// <summary>Whether a path is followed.</summary>
    /// <param name="path">The path.</param>
    /// <param name="allowed">The canonical names that are followed; null: all.</param>
    public static bool IsFollowed(string path, IReadOnlySet<string>? allowed) => KindOf(path) switch
    {
        PathKind.Other => false,
        // Bad items are noted where everything is followed; nobody asked for them by name.
        PathKind.Odd => allowed is null,
        _ => allowed is null || allowed.Contains(CanonicalName.Of(SyncPlan.NameOf(path)).Text),
    };
}
