using Pipeline.Contracts;
using Pipeline.Contracts.Index;

namespace Pipeline.Workers.Manifests;

/// <summary>A version whose manifest holds every rule that needs no database: what is recorded and shown of it.</summary>
public sealed record Release
{
    /// <summary>The crate's name, as the publisher spells it.</summary>
    public required CrateName Name { get; init; }

    /// <summary>The version.</summary>
    public required CrateVersion Version { get; init; }

    /// <summary>The dependencies in manifest order, requirements normalised; <c>registry</c> only for those that live elsewhere.</summary>
    public required IReadOnlyList<IndexDependency> Dependencies { get; init; }

    /// <summary>
    /// The crates that must be known here under exactly this name (crates-io-behaviour §1.4 row 41), each once, in the order of checking.
    /// </summary>
    public required IReadOnlyList<string> LocalDependencies { get; init; }

    /// <summary>The features, byte-sorted by name, values in manifest order.</summary>
    public required IReadOnlyList<KeyValuePair<string, IReadOnlyList<string>>> Features { get; init; }

    /// <summary>The native library it links, if any.</summary>
    public string? Links { get; init; }

    /// <summary>The least Rust version, as written.</summary>
    public string? RustVersion { get; init; }

    /// <summary>The edition, as written; null when missing.</summary>
    public string? Edition { get; init; }

    /// <summary>An SPDX expression, or <c>non-standard</c> when the manifest only names a file.</summary>
    public required string License { get; init; }

    /// <summary>The description, not empty.</summary>
    public required string Description { get; init; }

    /// <summary>The home page, an http or https URL.</summary>
    public string? Homepage { get; init; }

    /// <summary>The documentation, an http or https URL.</summary>
    public string? Documentation { get; init; }

    /// <summary>The repository, an http or https URL.</summary>
    public string? Repository { get; init; }

    /// <summary>The keywords in lower case, each once, in manifest order.</summary>
    public required IReadOnlyList<string> Keywords { get; init; }

    /// <summary>The category slugs as written; whether they exist is the database's to say (row 42).</summary>
    public required IReadOnlyList<string> Categories { get; init; }
}
