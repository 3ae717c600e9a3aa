using Pipeline.Contracts;

namespace Pipeline.Workers.Manifests;

/// <summary>What the pipeline reads of a normalised <c>Cargo.toml</c> (crates-io-behaviour §2.5), after the rules of §2.6 held.</summary>
public sealed record Manifest
{
    /// <summary><c>package.name</c>, as written.</summary>
    public required string Name { get; init; }

    /// <summary><c>package.version</c>, as written: not yet known to be a version.</summary>
    public required string Version { get; init; }

    /// <summary><c>package.edition</c>: 2015, 2018, 2021 or 2024; null when missing.</summary>
    public string? Edition { get; init; }

    /// <summary><c>package.rust-version</c>, as written.</summary>
    public string? RustVersion { get; init; }

    /// <summary><c>package.description</c>.</summary>
    public string? Description { get; init; }

    /// <summary><c>package.homepage</c>.</summary>
    public string? Homepage { get; init; }

    /// <summary><c>package.documentation</c>.</summary>
    public string? Documentation { get; init; }

    /// <summary><c>package.repository</c>.</summary>
    public string? Repository { get; init; }

    /// <summary><c>package.license</c>, an SPDX expression if it is valid.</summary>
    public string? License { get; init; }

    /// <summary><c>package.license-file</c>, a path in the archive.</summary>
    public string? LicenseFile { get; init; }

    /// <summary><c>package.links</c>: the native library.</summary>
    public string? Links { get; init; }

    /// <summary><c>package.keywords</c> in manifest order.</summary>
    public IReadOnlyList<string> Keywords { get; init; } = [];

    /// <summary><c>package.categories</c> in manifest order.</summary>
    public IReadOnlyList<string> Categories { get; init; } = [];

    /// <summary>Every dependency of every table, in the order of crates-io-behaviour §1.9: normal, dev, build, then the same by target.</summary>
    public IReadOnlyList<ManifestDependency> Dependencies { get; init; } = [];

    /// <summary><c>[features]</c>, byte-sorted by name, values in manifest order.</summary>
    public IReadOnlyList<KeyValuePair<string, IReadOnlyList<string>>> Features { get; init; } = [];

    /// <summary>What the manifest says of its library and binaries; input of target inference (§2.7).</summary>
    public ManifestTargets Targets { get; init; } = new();
}

/// <summary>One dependency as the manifest spells it.</summary>
/// <param name="Key">The table key.</param>
/// <param name="Package">The real name if renamed by <c>package</c>, else null.</param>
/// <param name="Version">The requirement as written, or null when missing (which counts as <c>*</c>).</param>
/// <param name="Registry"><c>registry</c>: a name of the publisher's own configuration.</param>
/// <param name="RegistryIndex"><c>registry-index</c>: the index URL, as cargo writes it into a packaged manifest.</param>
/// <param name="Features">The features asked for, in manifest order.</param>
/// <param name="Optional">Whether it is optional.</param>
/// <param name="DefaultFeatures">Whether its default features are on.</param>
/// <param name="Target">The key of <c>[target.…]</c> it stands below, or null.</param>
/// <param name="Kind">Which table it stands in.</param>
public sealed record ManifestDependency(
    string Key,
    string? Package,
    string? Version,
    string? Registry,
    string? RegistryIndex,
    IReadOnlyList<string> Features,
    bool Optional,
    bool DefaultFeatures,
    string? Target,
    DependencyKind Kind)
{
    /// <summary>The name of the crate depended on.</summary>
    public string Name => Package ?? Key;
}

/// <summary>The manifest's own words on targets.</summary>
public sealed record ManifestTargets
{
    /// <summary>Whether a <c>[lib]</c> table stands there.</summary>
    public bool HasLibTable { get; init; }

    /// <summary><c>lib.name</c>.</summary>
    public string? LibName { get; init; }

    /// <summary><c>lib.path</c>.</summary>
    public string? LibPath { get; init; }

    /// <summary><c>package.autolib</c>.</summary>
    public bool? AutoLib { get; init; }

    /// <summary><c>package.autobins</c>.</summary>
    public bool? AutoBins { get; init; }

    /// <summary>The <c>[[bin]]</c> tables in manifest order: name and path, each null when missing.</summary>
    public IReadOnlyList<(string? Name, string? Path)> Bins { get; init; } = [];
}
