using Pipeline.Contracts;
using Pipeline.Contracts.Index;
using Pipeline.Contracts.Publishing;

namespace Pipeline.Workers.Manifests;

/// <summary>
/// The rules for dependencies (crates-io-behaviour §1.4 rows 34 and 35, §1.9), and what of each is written to the index. One instance serves
/// one manifest.
/// </summary>
internal sealed class DependencyRules(IReadOnlyList<ClaimedDependency> claims, RegistryPolicy policy)
{
    private readonly DependencyOrigins _origins = new(claims, policy);
    private readonly List<IndexDependency> _accepted = [];
    private readonly List<string> _localDependencies = [];
    private readonly HashSet<string> _seen = new(StringComparer.Ordinal);

    /// <summary>The dependencies that hold the rules, in manifest order.</summary>
    public IReadOnlyList<IndexDependency> Accepted => _accepted;

    /// <summary>The names of those that must be known here, each once, in manifest order.</summary>
    public IReadOnlyList<string> LocalDependencies => _localDependencies;

    /// <summary>The first rule that is broken, or null.</summary>
    public Reject? Check(IReadOnlyList<ManifestDependency> dependencies, int max)
    {
        if (dependencies.Count > max)
        {
            return new Reject(RejectCodes.LimitExceeded, 400, $"this registry only allows a maximum number of {max} dependencies." +
                $"\n\nIf you have a use case that requires an increase of this limit, please contact the operators of this registry to discuss the details.");
        }

        _accepted.EnsureCapacity(dependencies.Count);
        foreach (var dependency in dependencies)
        {
            if (Check(dependency) is { } reject)
                return reject;
        }

        return null;
    }

    private Reject? Check(ManifestDependency dependency)
    {
        if ((NameRules.Check(dependency.Name, NameUse.Dependency) ?? CheckFeatures(dependency)) is { } reject)
            return reject;

        if (!string.IsNullOrEmpty(dependency.Registry))
        {
            return Invalid($"Dependency `{dependency.Name}` is hosted on another registry. " +
                $"Cross-registry dependencies are not permitted on this registry.");
        }

        if (_origins.Locate(dependency, out var registry) is { } misplaced)
            return misplaced;
        if (CheckRequirement(dependency, out var requirement) is { } unreadable)
            return unreadable;
        if (dependency.Package is not null && NameRules.Check(dependency.Key, NameUse.DependencyKey) is { } misnamed)
            return misnamed;

        Accept(dependency, requirement, registry);
        return null;
    }

    private static Reject? CheckFeatures(ManifestDependency dependency)
    {
        foreach (var feature in dependency.Features)
        {
            if (FeatureRules.CheckValue(feature) is { } reject)
                return reject;
        }

        return null;
    }

    private static Reject? CheckRequirement(ManifestDependency dependency, out VersionRequirement requirement)
    {
        requirement = VersionRequirement.Any;
        if (dependency.Version is { } text)
        {
            if (!VersionRequirement.TryParse(text, out var parsed))
                return new Reject(RejectCodes.InvalidVersion, 400, $"\"{text}\" is an invalid version requirement");
            requirement = parsed;
        }

        if (!requirement.IsWildcard)
            return null;
        return Invalid($"wildcard (`*`) dependency constraints are not allowed on this registry. Crate with this problem: `{dependency.Name}` " +
            $"See https://doc.rust-lang.org/cargo/faq.html#can-libraries-use--as-a-version-for-their-dependencies for more information");
    }

    private void Accept(ManifestDependency dependency, VersionRequirement requirement, string? registry)
    {
        if (registry is null && _seen.Add(dependency.Name))
            _localDependencies.Add(dependency.Name);
        _accepted.Add(new IndexDependency(
            Name: dependency.Key,
            Req: requirement.Text,
            Features: dependency.Features,
            Optional: dependency.Optional,
            DefaultFeatures: dependency.DefaultFeatures,
            Target: dependency.Target,
            Kind: dependency.Kind,
            Registry: registry,
            Package: dependency.Package));
    }

    private static Reject Invalid(Sentence text) => new(RejectCodes.InvalidDependency, 400, text);
}
