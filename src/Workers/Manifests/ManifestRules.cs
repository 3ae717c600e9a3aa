using System.Diagnostics.CodeAnalysis;
using Pipeline.Contracts;

namespace Pipeline.Workers.Manifests;

/// <summary>
/// The rules a manifest must hold and that need nothing but the publish itself (crates-io-behaviour §1.4 rows 18 to 35), in that order:
/// the first one broken is the one reported.
/// </summary>
public static class ManifestRules
{
    private const string NonStandardLicense = "non-standard";

    /// <summary>Decides on a manifest.</summary>
    /// <param name="claims">What the publish JSON says.</param>
    /// <param name="manifest">The manifest of the archive.</param>
    /// <param name="limits">How much it may declare.</param>
    /// <param name="policy">Which registries its dependencies may live in.</param>
    /// <param name="release">What is to be recorded, if the manifest holds every rule.</param>
    /// <param name="reject">Else, what is wrong.</param>
    public static bool TryAccept(
        PublishClaims claims,
        Manifest manifest,
        PublishLimits limits,
        RegistryPolicy policy,
        [NotNullWhen(true)] out Release? release,
        [NotNullWhen(false)] out Reject? reject)
    {
        ArgumentNullException.ThrowIfNull(claims);
        ArgumentNullException.ThrowIfNull(manifest);
        ArgumentNullException.ThrowIfNull(limits);
        ArgumentNullException.ThrowIfNull(policy);

        release = null;
        reject = CheckAgreement(claims, manifest)
            ?? MetadataRules.Check(manifest)
            ?? FeatureTableRules.Check(manifest.Features, limits.MaxFeatures);
        if (reject is not null)
            return false;

        var dependencies = new DependencyRules(claims.Dependencies, policy);
        reject = dependencies.Check(manifest.Dependencies, limits.MaxDependencies);
        if (reject is not null)
            return false;

        release = ToRelease(claims, manifest, dependencies);
        return true;
    }

    private static Reject? CheckAgreement(PublishClaims claims, Manifest manifest)
    {
        if (manifest.Name != claims.Name.Text)
            return Mismatch($"metadata name `{claims.Name}` does not match manifest name `{manifest.Name}`");
        // Text against text: a version has one spelling only.
        if (manifest.Version != claims.Version.Text)
            return Mismatch($"metadata version `{claims.Version}` does not match manifest version `{manifest.Version}`");
        return null;
    }

    private static Release ToRelease(PublishClaims claims, Manifest manifest, DependencyRules dependencies) => new()
    {
        Name = claims.Name,
        Version = claims.Version,
        Dependencies = dependencies.Accepted,
        LocalDependencies = dependencies.LocalDependencies,
        Features = manifest.Features,
        Links = manifest.Links,
        RustVersion = manifest.RustVersion,
        Edition = manifest.Edition,
        License = manifest.License ?? NonStandardLicense,
        Description = manifest.Description!,
        Homepage = manifest.Homepage,
        Documentation = manifest.Documentation,
        Repository = manifest.Repository,
        Keywords = ToKeywordSet(manifest.Keywords),
        Categories = manifest.Categories,
    };

    private static List<string> ToKeywordSet(IReadOnlyList<string> keywords)
    {
        var set = new List<string>(keywords.Count);
        foreach (var keyword in keywords)
        {
            var lower = keyword.ToLowerInvariant();
            if (!set.Contains(lower))
                set.Add(lower);
        }

        return set;
    }

    private static Reject Mismatch(Sentence text) => new(RejectCodes.MetadataMismatch, 400, text);
}
