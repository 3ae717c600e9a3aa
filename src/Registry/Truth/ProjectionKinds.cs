namespace Pipeline.Registry.Truth;

/// <summary>The kinds of projections that rows are kept for, and the configured targets of each.</summary>
public static class ProjectionKinds
{
    /// <summary>The git index.</summary>
    public const string Git = "git";

    /// <summary>The sparse index.</summary>
    public const string Sparse = "sparse";

    /// <summary>
    /// The records of what no version's record tells: owners, yanks, deletions. Only crates that had such a change have the row; bytes of
    /// deleted versions wait for it, as for every projection.
    /// </summary>
    public const string Record = "record";

    /// <summary>The caches: not rendered but purged, so their rows are <c>purges</c>, one target each cache.</summary>
    public const string Cdn = "cdn";

    /// <summary>What searches are answered from: it follows the change feed, and lags on crates.</summary>
    public const string Search = "search";

    /// <summary>What webhooks are told: one target each webhook, which lags on changes.</summary>
    public const string Notices = "notices";

    /// <summary>Every kind that is rendered; one target, the empty one, each.</summary>
    public static readonly IReadOnlyList<string> All = [Git, Sparse, Record];
}
