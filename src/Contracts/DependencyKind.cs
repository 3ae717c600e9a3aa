namespace Pipeline.Contracts;

/// <summary>Which table of the manifest a dependency comes from. The order is the index's sort order (crates-io-behaviour §3.3).</summary>
public enum DependencyKind
{
    /// <summary><c>[dependencies]</c>; <c>normal</c> on the wire.</summary>
    Normal,

    /// <summary><c>[build-dependencies]</c>; <c>build</c> on the wire.</summary>
    Build,

    /// <summary><c>[dev-dependencies]</c>; <c>dev</c> on the wire.</summary>
    Dev,
}
