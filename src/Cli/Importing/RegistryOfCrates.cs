using Pipeline.Contracts;
using Pipeline.Workers.Manifests;

namespace Pipeline.Cli.Importing;

/// <summary>
/// The registry that .crate files were made for. A .crate does not say it, but what it says of dependencies is relative to it: cargo
/// leaves the registry out of the publish JSON for those that live in the registry published to (cargo-client-behaviour §7).
/// </summary>
internal sealed class RegistryOfCrates
{
    /// <summary>The name by which cargo means crates.io.</summary>
    public const string CratesIo = "crates-io";

    /// <summary>The protocol mark and the domain of crates.io's sparse index, whatever its host is called.</summary>
    private const string SparseMark = "sparse+";
    private const string CratesIoDomain = ".crates.io";

    private readonly HashSet<string> _keys;

    /// <summary>Takes the index URLs of the registry.</summary>
    public RegistryOfCrates(params IEnumerable<string> indexUrls) => _keys = indexUrls.Select(Key).ToHashSet(StringComparer.Ordinal);

    /// <summary>The registry that calls itself by a URL: its sparse and its git index.</summary>
    /// <param name="url">The URL, with or without a trailing slash.</param>
    public static RegistryOfCrates At(string url) => new($"sparse+{url.TrimEnd('/')}/index/", $"{url.TrimEnd('/')}/git/index");

    /// <summary>The <c>registry</c> member of a dependency in the publish JSON; null: left out, it lives where the crate was made for.</summary>
    /// <param name="registryIndex"><c>registry-index</c> of the manifest; null: crates.io, which cargo does not write.</param>
    public string? Foreign(string? registryIndex)
    {
        var key = Key(registryIndex ?? CratesIo);
        if (_keys.Contains(key)) return null;
        return key == CratesIo ? WellKnownRegistries.CratesIoIndex : registryIndex;
    }

    private static string Key(string url) =>
        url is CratesIo || IsSparseOfCratesIo(url) || IndexUrl.AreSame(url, WellKnownRegistries.CratesIoIndex) ? CratesIo : IndexUrl.ToKey(url);

    private static bool IsSparseOfCratesIo(string url) =>
        url.StartsWith(SparseMark, StringComparison.Ordinal)
        && Uri.TryCreate(url[SparseMark.Length..], UriKind.Absolute, out var index)
        && index.Host.EndsWith(CratesIoDomain, StringComparison.Ordinal);
}
