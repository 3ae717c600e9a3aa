using Pipeline.Contracts;
using Pipeline.Contracts.Publishing;

namespace Pipeline.Workers.Manifests;

/// <summary>
/// In which registry each dependency lives. Cargo says it in the publish JSON; the packaged manifest says it once more for any registry but
/// crates.io (cargo-client-behaviour §7), and the two must agree: what is built from the archive must be what the index names.
/// </summary>
internal sealed class DependencyOrigins
{
    private readonly RegistryPolicy _policy;
    private readonly Dictionary<(string Key, DependencyKind Kind, string? Target), string> _foreign = [];

    /// <summary>Takes the claims; those that place a dependency here need no remembering, for that is where every other one is.</summary>
    public DependencyOrigins(IReadOnlyList<ClaimedDependency> claims, RegistryPolicy policy)
    {
        _policy = policy;
        foreach (var claim in claims)
        {
            // Of two claims for one dependency the first counts. A manifest that means something else by it disagrees below, or means crates.io.
            if (!string.IsNullOrEmpty(claim.Registry) && !policy.IsOwn(claim.Registry))
                _foreign.TryAdd((claim.ExplicitName ?? claim.Name, claim.Kind, TargetText.Normalise(claim.Target)), claim.Registry);
        }
    }

    /// <summary>Where a dependency lives, or why it may not.</summary>
    /// <param name="dependency">The manifest's entry.</param>
    /// <param name="registry">The index URL for the index line if it lives elsewhere; null if it lives here.</param>
    public Reject? Locate(ManifestDependency dependency, out string? registry)
    {
        registry = null;
        var claimed = _foreign.Count == 0
            ? null
            : _foreign.GetValueOrDefault((dependency.Key, dependency.Kind, TargetText.Normalise(dependency.Target)));
        var stated = string.IsNullOrEmpty(dependency.RegistryIndex) ? null : dependency.RegistryIndex;

        if (claimed is null)
        {
            return stated is null || _policy.IsOwn(stated)
                ? null
                : Invalid($"Dependency `{dependency.Name}` has the registry-index `{stated}` in `Cargo.toml`, " +
                    $"which is not an index of this registry, but the publish request says that it is hosted here");
        }

        // In a packaged manifest no registry-index means crates.io.
        if (!IndexUrl.AreSame(claimed, stated ?? WellKnownRegistries.CratesIoIndex))
        {
            var said = stated is null ? "has no registry-index" : $"has the registry-index `{Quoted.Value(stated)}`";
            return Invalid($"Dependency `{dependency.Name}` {said:whole} in `Cargo.toml`, but the publish request says that it is hosted on `{claimed}`");
        }

        return _policy.Allows(claimed, out registry)
            ? null
            : Invalid($"Dependency `{dependency.Name}` is hosted on another registry, `{claimed}`, which this registry does not allow");
    }

    private static Reject Invalid(Sentence text) => new(RejectCodes.InvalidDependency, 400, text);
}
