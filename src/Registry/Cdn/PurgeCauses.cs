namespace Pipeline.Registry.Cdn;

/// <summary>Why something is purged.</summary>
public static class PurgeCauses
{
    /// <summary>It has other content now.</summary>
    public const string Changed = "changed";

    /// <summary>It is there for the first time: caches keep that it was not.</summary>
    public const string First = "first";

    /// <summary>An index file that is gone.</summary>
    public const string Removed = "removed";

    /// <summary>The bytes of a deleted version.</summary>
    public const string Deleted = "deleted";

    /// <summary>Whether it must not be served once more while the new content is fetched.</summary>
    public static bool IsHard(string cause) => cause is not Changed;
}
