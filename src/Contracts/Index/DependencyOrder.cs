namespace Pipeline.Contracts.Index;

/// <summary>
/// The order of the dependencies within an index line (crates-io-behaviour §3.3). Old cargo versions rely on a normal dependency standing
/// before a build or dev dependency of the same name.
/// </summary>
public sealed class DependencyOrder : IComparer<IndexDependency>
{
    private DependencyOrder()
    {
    }

    /// <summary>The only instance; it has no state.</summary>
    public static DependencyOrder Instance { get; } = new();

    /// <summary>Compares name, kind, requirement, optional, default features, target, package, features, then registry; absent sorts first.</summary>
    public int Compare(IndexDependency? x, IndexDependency? y)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(y);
        var strings = Utf8Order.Instance;
        int order;
        if ((order = strings.Compare(x.Name, y.Name)) != 0
            || (order = x.Kind.CompareTo(y.Kind)) != 0
            || (order = strings.Compare(x.Req, y.Req)) != 0
            || (order = x.Optional.CompareTo(y.Optional)) != 0
            || (order = x.DefaultFeatures.CompareTo(y.DefaultFeatures)) != 0
            || (order = strings.Compare(x.Target, y.Target)) != 0
            || (order = strings.Compare(x.Package, y.Package)) != 0
            || (order = CompareLists(x.Features, y.Features)) != 0)
        {
            return order;
        }

        // Not in the rule book, which knows no registry: last, so that only otherwise equal dependencies are told apart by it.
        return strings.Compare(x.Registry, y.Registry);
    }

    private static int CompareLists(IReadOnlyList<string> x, IReadOnlyList<string> y)
    {
        var common = Math.Min(x.Count, y.Count);
        for (var i = 0; i < common; i++)
        {
            var order = Utf8Order.Instance.Compare(x[i], y[i]);
            if (order != 0)
                return order;
        }

        return x.Count.CompareTo(y.Count);
    }
}
