using Pipeline.Contracts;
using Pipeline.Contracts.Publishing;

namespace Pipeline.Workers.Manifests;

/// <summary>
/// What the JSON of a publish says and the archive must agree with (crates-io-behaviour §2.9). Everything else in that JSON is ignored.
/// </summary>
/// <param name="Name">The crate's name, checked at intake.</param>
/// <param name="Version">The version, checked at intake.</param>
/// <param name="Dependencies">
/// Where it places dependencies; each belongs to the manifest's entry of the same key, kind and target. Those without a registry may be left
/// out, which says the same: here.
/// </param>
public sealed record PublishClaims(CrateName Name, CrateVersion Version, IReadOnlyList<ClaimedDependency> Dependencies);
