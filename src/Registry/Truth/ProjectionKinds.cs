namespace Pipeline.Registry.Truth;

/// <summary>The kinds of projections that rows are kept for, and the configured targets of each.</summary>
public static class ProjectionKinds
{
    /// <summary>The git index.</summary>
    public const string Git = "git";

    /// <summary>The sparse index.</summary>
    public const string Sparse = "sparse";

    /// <summary>Every kind; one target, the empty one, each.</summary>
    public static readonly IReadOnlyList<string> All = [Git, Sparse];
}
