using System.Diagnostics.CodeAnalysis;
using Pipeline.Cli.Importing;
using Pipeline.Contracts;
using Pipeline.Contracts.Categories;
using Pipeline.Contracts.Index;
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
/// The rules of publishing that need no registry, in the order in which the pipeline applies them (crates-io-behaviour §1.4 rows 5 to 36
/// and 42): names that are taken, owners and dependencies that exist are the registry's to judge.
/// </summary>
internal sealed class CrateCheck(RegistryOfCrates registry, RegistryPolicy policy)
{
    private const long MaxUpload = 10L * 1024 * 1024;

    private static readonly PublishLimits Limits = new();

    /// <summary>Checks a file.</summary>
    /// <param name="fileName">Its name, for when it cannot be read.</param>
    /// <param name="crate">Its bytes.</param>
    /// <exception cref="InvalidDataException">It does not even say which crate it is.</exception>
    public CheckResult Check(string fileName, byte[] crate)
    {
        var json = PublishJson.Derive(fileName, crate, registry);
        var accepted = TryAccept(json, crate, out var line, out var reject);
        return new CheckResult(json.Name, json.Version, accepted ? line : null, reject);
    }

    private bool TryAccept(PublishJson json, byte[] crate, [NotNullWhen(true)] out string? line, [NotNullWhen(false)] out Reject? reject)
    {
        line = null;
        if (!CrateName.TryParse(json.Name, out var name, out reject) || !CrateVersion.TryParsePublished(json.Version, out var version, out reject)) return false;
        if (crate.Length > MaxUpload)
        {
            reject = new Reject(RejectCodes.LimitExceeded, 413, $"max upload size is: {MaxUpload}");
            return false;
        }

        using var stream = new MemoryStream(crate, writable: false);
        var facts = TarballReader.Read(stream, new TarballRules($"{name}-{version}"));
        if (!TryReadManifest(facts, out var manifest, out reject)) return false;
        var claims = new PublishClaims(name, version, [.. json.Dependencies.Select(dependency => dependency.Claim)]);
        if (!ManifestRules.TryAccept(claims, manifest, Limits, policy, out var release, out reject)) return false;
        reject = CheckNames(release);
        line = reject is null ? LineOf(release, facts.Checksum) : null;
        return line is not null;
    }

    /// <summary>The manifest that counts, unless the archive or a manifest before it has a problem.</summary>
    private static bool TryReadManifest(TarballFacts facts, [NotNullWhen(true)] out Manifest? manifest, [NotNullWhen(false)] out Reject? reject)
    {
        manifest = null;
        foreach (var file in facts.Manifests)
        {
            if (ManifestReader.TryRead(file.Text, out manifest, out reject)) continue;
            reject = ErrorOrder.FirstOf(facts, file.Entry, reject)!;
            return false;
        }

        reject = facts.Problem;
        if (reject is not null) return false;
        return manifest is null
            ? throw new InvalidOperationException("an archive without a problem has a manifest")
            : TargetInference.TryInfer(manifest, facts.Files, out _, out reject);
    }

    private static Reject? CheckNames(Release release)
    {
        if (ReservedNames.Contains(release.Name.Canonical)) return RegistryRejects.ReservedName();
        var unknown = release.Categories.Where(slug => !KnownCategories.All.Contains(slug)).ToList();
        return unknown.Count == 0 ? null : RegistryRejects.UnknownCategories(unknown);
    }

    private static string LineOf(Release release, string checksum)
    {
        var entry = new IndexEntry(
            release.Name.Text, release.Version.Text, release.Dependencies, checksum, release.Features, Yanked: false, release.Links, release.RustVersion);
        return System.Text.Encoding.UTF8.GetString(IndexLine.Render(entry));
    }
}
