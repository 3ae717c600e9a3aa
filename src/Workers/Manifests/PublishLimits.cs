namespace Pipeline.Workers.Manifests;

/// <summary>How much a manifest may declare (crates-io-behaviour §1.3).</summary>
/// <param name="MaxDependencies">The most dependencies, of all kinds and targets together.</param>
/// <param name="MaxFeatures">The most features, and the most values of one feature. A crate may have its own limit.</param>
public sealed record PublishLimits(int MaxDependencies = 500, int MaxFeatures = 300)
{
    /// <summary>The most keywords.</summary>
    public const int MaxKeywords = 5;

    /// <summary>The longest keyword, in bytes.</summary>
    public const int MaxKeywordBytes = 20;

    /// <summary>The most categories.</summary>
    public const int MaxCategories = 5;

    /// <summary>The longest description, in bytes.</summary>
    public const int MaxDescriptionBytes = 1000;
}
