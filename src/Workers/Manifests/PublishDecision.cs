using System.Collections.Concurrent;
using System.Text.Json;
using Pipeline.Contracts;
using Pipeline.Contracts.Categories;
using Pipeline.Contracts.Publishing;
using Pipeline.Registry.Options;
using Pipeline.Registry.Truth;
using Pipeline.Workers.Tarballs;

namespace Pipeline.Workers.Manifests;

/// <summary>
/// The pure core of the manifest stage: the facts of the archive and the claims of the publisher in, a refusal or a version ready to
/// be recorded out. Order of errors as crates.io has it: the earliest in the archive, then the rules of crates-io-behaviour §1.4.
/// </summary>
public sealed class PublishDecision(PublishOptions limits, RegistryOptions registry)
{
    // Each API process may be reached by another URL; there are as many policies as such URLs.
    private readonly ConcurrentDictionary<string, RegistryPolicy> _policies = new(StringComparer.Ordinal);

    /// <summary>The category slugs a manifest may name.</summary>
    public IReadOnlySet<string> Categories { get; } = new HashSet<string>([.. KnownCategories.All, .. registry.ExtraCategories], StringComparer.Ordinal);

    /// <summary>Decides a publish whose archive was read.</summary>
    public (Reject? Reject, VersionFacts? Version) Decide(PublishRow publish)
    {
        ArgumentNullException.ThrowIfNull(publish);
        var facts = JsonSerializer.Deserialize(publish.Facts!, TarballJson.Default.TarballFacts)!;
        var stored = JsonSerializer.Deserialize(publish.Claims, StoredClaimsJson.Default.StoredClaims)!;

        var (manifest, problem) = Read(facts);
        if (problem is not null) return (problem, null);
        if (!TargetInference.TryInfer(manifest!, facts.Files, out var targets, out problem)) return (problem, null);
        var claims = new PublishClaims(CrateName.FromStored(publish.Name), CrateVersion.Parse(publish.Num), stored.Dependencies);
        var allowed = new PublishLimits(limits.MaxDependencies, publish.MaxFeatures ?? limits.MaxFeatures);
        return ManifestRules.TryAccept(claims, manifest!, allowed, PolicyAt(stored.PublicUrl ?? registry.PublicUrl), out var release, out problem)
            ? (null, VersionFacts.Of(publish, release, targets, stored))
            : (problem, null);
    }

    private RegistryPolicy PolicyAt(string publicUrl) => _policies.GetOrAdd(
        publicUrl, static (url, own) => new RegistryPolicy([.. own.AllOwnIndexUrls, .. (own with { PublicUrl = url }).AllOwnIndexUrls], own.AllowedForeignIndexes), registry);

    /// <summary>The manifest that counts, or the earliest problem in archive order, whether the archive's or a manifest's.</summary>
    private static (Manifest? Manifest, Reject? Problem) Read(TarballFacts facts)
    {
        Manifest? last = null;
        foreach (var file in facts.Manifests)
        {
            if (!ManifestReader.TryRead(file.Text, out last, out var reject)) return (null, ErrorOrder.FirstOf(facts, file.Entry, reject));
        }

        return (last, facts.Problem);
    }
}
