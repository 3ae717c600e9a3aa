using System.Text.Json;
using Pipeline.Cli.Importing;
using Pipeline.Contracts;
using Pipeline.Contracts.Publishing;
using Pipeline.Registry.Options;
using Pipeline.Registry.Truth;
using Pipeline.Workers.Manifests;
using Pipeline.Workers.Tarballs;

namespace Pipeline.Cli.Checking;

/// <summary>What a check of a .crate found: the index line it would get, or why it would be refused.</summary>
/// <param name="Name">The crate's name.</param>
/// <param name="Version">The version.</param>
/// <param name="Line">The index line; null: refused.</param>
/// <param name="Reject">The refusal; null: accepted.</param>
internal sealed record CheckResult(string Name, string Version, string? Line, Reject? Reject);

/// <summary>
/// The rules of publishing that need no registry, by the workers' own code (crates-io-behaviour §1.4 rows 5 to 36 and 42). Names that are
/// taken, owners, and dependencies that must exist are the registry's to judge.
/// </summary>
/// <param name="registry">The registry the files were made for.</param>
/// <param name="options">What is known of the registry they would be published to.</param>
internal sealed class CrateCheck(RegistryOfCrates registry, RegistryOptions options)
{
    private static readonly PublishOptions Limits = new();

    private readonly PublishDecision _decision = new(Limits, options);

    /// <summary>Checks a file.</summary>
    /// <param name="fileName">Its name, for when it cannot be read.</param>
    /// <param name="crate">Its bytes.</param>
    /// <exception cref="InvalidDataException">It does not even say which crate it is.</exception>
    public CheckResult Check(string fileName, byte[] crate)
    {
        var json = PublishJson.Derive(fileName, crate, registry);
        var (reject, version) = Decide(json, crate);
        return new CheckResult(json.Name, json.Version, version is null ? null : $"{version.EntryHead}false{version.EntryTail}", reject);
    }

    private (Reject? Reject, VersionFacts? Version) Decide(PublishJson json, byte[] crate)
    {
        if (!CrateName.TryParse(json.Name, out var name, out var reject) || !CrateVersion.TryParsePublished(json.Version, out var version, out reject)) return (reject, null);
        if (crate.Length > Limits.MaxUploadBytes) return (new Reject(RejectCodes.LimitExceeded, 413, $"max upload size is: {Limits.MaxUploadBytes}"), null);

        using var stream = new MemoryStream(crate, writable: false);
        var facts = TarballReader.Read(stream, new TarballRules($"{name}-{version}") { UploadLimit = Limits.MaxUploadBytes, UnpackLimit = Limits.MaxUnpackedBytes });
        if (ErrorOrder.SettledBy(facts) is { } settled) return (settled, null);
        var decided = _decision.Decide(RowOf(json, name, version, facts));
        return decided.Version is { } accepted && CheckNames(accepted.Release) is { } refused ? (refused, null) : decided;
    }

    private Reject? CheckNames(Release release)
    {
        if (ReservedNames.Contains(release.Name.Canonical)) return RegistryRejects.ReservedName();
        var unknown = release.Categories.Where(slug => !_decision.Categories.Contains(slug)).ToList();
        return unknown.Count == 0 ? null : RegistryRejects.UnknownCategories(unknown);
    }

    /// <summary>The row as the tarball stage would hand it on.</summary>
    private static PublishRow RowOf(PublishJson json, CrateName name, CrateVersion version, TarballFacts facts)
    {
        var claims = new StoredClaims([.. json.Dependencies.Select(dependency => dependency.Claim)], null, null, AllowMissingDependencies: true);
        return new PublishRow(
            Id: "",
            name.Text,
            version.Text,
            facts.Checksum,
            facts.Size,
            UserId: 0,
            Login: "",
            TokenId: null,
            JsonSerializer.Serialize(claims, StoredClaimsJson.Default.StoredClaims),
            StagingKey: "",
            PublishStates.Checked,
            JsonSerializer.Serialize(facts, TarballJson.Default.TarballFacts),
            MaxUploadSize: null,
            MaxFeatures: null,
            ParkedAt: 0,
            TraceParent: null);
    }
}
