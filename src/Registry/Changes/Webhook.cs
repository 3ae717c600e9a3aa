using Pipeline.Contracts;
using Pipeline.Registry.Identity;

namespace Pipeline.Registry.Changes;

/// <summary>Somebody who is told of changes.</summary>
/// <param name="Id">Its row.</param>
/// <param name="Url">Where notices are sent.</param>
/// <param name="Secret">What they are signed with.</param>
/// <param name="Kinds">Which kinds of changes; empty: every kind.</param>
/// <param name="Crates">Which crates; empty: every crate.</param>
/// <param name="Watermark">The last change that was told, passed over or given up.</param>
/// <param name="Attempts">How often the notice behind the watermark has failed.</param>
/// <param name="Failing">How many deliveries have failed since the last that succeeded.</param>
public sealed record Webhook(
    long Id, string Url, Secret Secret, IReadOnlyList<string> Kinds, IReadOnlyList<CratePattern> Crates, long Watermark, long Attempts, long Failing)
{
    /// <summary>
    /// Whether it wants to be told of a change. What a bulk sync brings is one change about no single crate, and told to nobody (design §3). Of an upstream's
    /// troubles those are told who did not ask for some crates alone.
    /// </summary>
    public bool Wants(Change change)
    {
        ArgumentNullException.ThrowIfNull(change);
        if (Kinds.Count > 0 && !Kinds.Contains(change.Kind, StringComparer.Ordinal)) return false;
        if (change.Crate is not { } crate) return change.Kind is ChangeKinds.UpstreamTrouble or ChangeKinds.UpstreamRecovered && Crates.Count == 0;
        return Crates.Count == 0 || Crates.Any(pattern => pattern.Matches(crate));
    }
}
