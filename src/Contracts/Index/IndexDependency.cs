namespace Pipeline.Contracts.Index;

/// <summary>One dependency of an index line (crates-io-behaviour §3.2).</summary>
/// <param name="Name">The table key as written in the manifest.</param>
/// <param name="Req">The normalised version requirement.</param>
/// <param name="Features">The features asked for, in manifest order.</param>
/// <param name="Optional">Whether the dependency is optional.</param>
/// <param name="DefaultFeatures">Whether its default features are on.</param>
/// <param name="Target">The platform it is for (<c>cfg(…)</c> or a triple), or null for all.</param>
/// <param name="Kind">Which table it comes from.</param>
/// <param name="Registry">The index URL of the registry it lives in when that is not this one (written after <c>kind</c>), else null.</param>
/// <param name="Package">The crate's real name when the dependency is renamed, else null.</param>
public sealed record IndexDependency(
    string Name,
    string Req,
    IReadOnlyList<string> Features,
    bool Optional,
    bool DefaultFeatures,
    string? Target,
    DependencyKind Kind,
    string? Registry,
    string? Package);
