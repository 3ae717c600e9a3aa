namespace Pipeline.Registry.Upstreams;

/// <summary>A registry that is followed.</summary>
public sealed record Upstream
{
    /// <summary>Its name: the <c>source</c> of its crates.</summary>
    public required string Name { get; init; }

    /// <summary>Its index: a git URL or path, or <c>sparse+</c> and a URL that ends with a slash.</summary>
    public required string IndexUrl { get; init; }

    /// <summary>Where its files are, in place of what its <c>config.json</c> says; null: as that says.</summary>
    public string? DlUrl { get; init; }

    /// <summary>What is done about its files: one of <see cref="UpstreamModes"/>.</summary>
    public required string Mode { get; init; }

    /// <summary>Microseconds from one look at it to the next.</summary>
    public required long EveryMicroseconds { get; init; }

    /// <summary>What becomes of a name that is local too: one of <see cref="CollisionPolicies"/>.</summary>
    public required string Collisions { get; init; }

    /// <summary>What becomes of a crate that it lost: one of <see cref="RemovalPolicies"/>.</summary>
    public required string Removals { get; init; }

    /// <summary>Whether only the names of its allow-list are followed.</summary>
    public bool AllowOnly { get; init; }

    /// <summary>Counts the changes of that list.</summary>
    public long AllowRevision { get; init; }

    /// <summary>Its <c>config.json</c> as last read.</summary>
    public string? Config { get; init; }

    /// <summary>Whether an operator lets the next sync take away as many crates as it says.</summary>
    public bool AcceptRemovals { get; init; }

    /// <summary>Of two upstreams with one name the lower is served.</summary>
    public long Place { get; init; }

    /// <summary>No longer followed: what it brought is taken away.</summary>
    public bool IsRemoved { get; init; }

    /// <summary>Whether its index is a sparse one.</summary>
    public bool IsSparse => IndexUrl.StartsWith(SparsePrefix, StringComparison.Ordinal);

    /// <summary>How the URL of a sparse index begins.</summary>
    public const string SparsePrefix = "sparse+";

    /// <summary>The template of its files' URLs (<see cref="DownloadUrl"/>); null: not known yet.</summary>
    public string? DlTemplate => DlUrl ?? UpstreamConfig.DlOf(Config);
}

/// <summary>What is done about an upstream's files.</summary>
public static class UpstreamModes
{
    /// <summary>The index alone is mirrored; downloads are sent to the upstream.</summary>
    public const string Metadata = "metadata";

    /// <summary>A file is fetched when it is first asked for.</summary>
    public const string OnDemand = "on-demand";

    /// <summary>Every file is fetched.</summary>
    public const string Full = "full";

    /// <summary>All of them.</summary>
    public static readonly IReadOnlyList<string> All = [Metadata, OnDemand, Full];
}

/// <summary>What becomes of a name that an upstream and this registry have both.</summary>
public static class CollisionPolicies
{
    /// <summary>The local crate is served.</summary>
    public const string LocalWins = "local-wins";

    /// <summary>The upstream's is served.</summary>
    public const string UpstreamWins = "upstream-wins";

    /// <summary>The local crate is served, and each collision is an open failure until somebody decides.</summary>
    public const string Refuse = "refuse";

    /// <summary>All of them.</summary>
    public static readonly IReadOnlyList<string> All = [LocalWins, UpstreamWins, Refuse];
}

/// <summary>What becomes of a crate that the upstream lost.</summary>
public static class RemovalPolicies
{
    /// <summary>It goes here too.</summary>
    public const string Remove = "remove";

    /// <summary>It stays as it was seen last.</summary>
    public const string Keep = "keep";

    /// <summary>All of them.</summary>
    public static readonly IReadOnlyList<string> All = [Remove, Keep];
}
