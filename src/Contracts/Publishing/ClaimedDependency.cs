namespace Pipeline.Contracts.Publishing;

/// <summary>A dependency as the publish JSON claims it: only it says which registry the publisher meant (design §3 "Dependencies on other registries").</summary>
/// <param name="Name">The real name of the crate depended on.</param>
/// <param name="ExplicitName">The table key, when the dependency is renamed.</param>
/// <param name="Kind">Which table it stands in.</param>
/// <param name="Target">The platform as cargo prints it, or null.</param>
/// <param name="VersionReq">The requirement as cargo prints it.</param>
/// <param name="Registry">The index URL of the registry it lives in; null: the one published to.</param>
public sealed record ClaimedDependency(string Name, string? ExplicitName, DependencyKind Kind, string? Target, string? VersionReq, string? Registry);
