namespace Pipeline.Registry.Changes;

/// <summary>What can happen to a crate: the kinds of the change feed. They are never renamed: readers and webhooks filter by them.</summary>
public static class ChangeKinds
{
    /// <summary>A version was published.</summary>
    public const string Publish = "publish";

    /// <summary>A version was yanked, or its yank message changed.</summary>
    public const string Yank = "yank";

    /// <summary>A yank was taken back.</summary>
    public const string Unyank = "unyank";

    /// <summary>A version was deleted; without a version, the whole crate.</summary>
    public const string Delete = "delete";

    /// <summary>Owners were added or removed.</summary>
    public const string Owners = "owners";

    /// <summary>A sync brought new files of an upstream's crates: one change for many, about no single crate.</summary>
    public const string Sync = "sync";

    /// <summary>What describes mirrored crates was read from files of theirs: one change for many, about no single crate.</summary>
    public const string Metadata = "metadata";

    /// <summary>An upstream cannot be followed: about no crate.</summary>
    public const string UpstreamTrouble = "upstream-trouble";

    /// <summary>That is over.</summary>
    public const string UpstreamRecovered = "upstream-recovered";

    /// <summary>Those that webhooks can be told of.</summary>
    public static readonly IReadOnlyList<string> All = [Publish, Yank, Unyank, Delete, Owners, UpstreamTrouble, UpstreamRecovered];
}
