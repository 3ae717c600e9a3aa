namespace Pipeline.Workers.Manifests;

/// <summary>What a version builds, as far as the registry stores it (crates-io-behaviour §2.7).</summary>
/// <param name="HasLib">Whether it has a library.</param>
/// <param name="LibName">The library's name, or null without one.</param>
/// <param name="BinNames">The names of its binaries: declared ones in manifest order, then found ones.</param>
public sealed record InferredTargets(bool HasLib, string? LibName, IReadOnlyList<string> BinNames);
