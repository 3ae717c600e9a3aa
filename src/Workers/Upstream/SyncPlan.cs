using Pipeline.Contracts;
using Pipeline.Registry.Upstreams;

namespace Pipeline.Workers.Upstream;

/// <summary>A crate that has the name of a file of the batch: of this upstream, of another, or local.</summary>
/// <param name="Id">Its row.</param>
/// <param name="Source">Its source.</param>
/// <param name="Canonical">Its canonical name.</param>
/// <param name="Name">Its name as spelt.</param>
/// <param name="BlobId">The blob id of its upstream file.</param>
/// <param name="IsActive">Whether it is there.</param>
/// <param name="IsGone">Whether its upstream lost it.</param>
/// <param name="PlaceId">The row whose projections show the name; null: this one.</param>
public sealed record KnownCrate(long Id, string Source, string Canonical, string Name, string? BlobId, bool IsActive, bool IsGone, long? PlaceId);

/// <summary>A file to write to its crate's row.</summary>
/// <param name="File">The file.</param>
/// <param name="Canonical">The crate's canonical name.</param>
/// <param name="Crate">The crate; null: it is new.</param>
/// <param name="PlaceId">Of a new crate, the row whose projections show the name; null: its own.</param>
/// <param name="IsServed">Of a new crate, whether it is served without further ado: nobody else has the name.</param>
public sealed record PlannedFile(TakenFile File, string Canonical, KnownCrate? Crate, long? PlaceId, bool IsServed);

/// <summary>What a batch comes to: values in, decision out.</summary>
/// <param name="Files">Files to write.</param>
/// <param name="Removed">Crates that go.</param>
/// <param name="Kept">Crates that the upstream lost and that stay by its policy.</param>
/// <param name="Bad">Files that cannot be taken, those of the batch included.</param>
/// <param name="Contested">Canonical names for which it must be chosen anew who is served.</param>
/// <param name="Equal">How many files were here already.</param>
public sealed record SyncPlan(
    IReadOnlyList<PlannedFile> Files, IReadOnlyList<KnownCrate> Removed, IReadOnlyList<KnownCrate> Kept, IReadOnlyList<BadFile> Bad, IReadOnlyList<string> Contested, int Equal)
{
    /// <summary>The name that a path is about: its last part.</summary>
    public static string NameOf(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        return path[(path.LastIndexOf('/') + 1)..];
    }

    /// <summary>Every canonical name that a batch touches.</summary>
    public static IReadOnlyCollection<string> Names(SyncBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var file in batch.Taken) names.Add(CanonicalName.Of(file.File.Name).Text);
        foreach (var path in batch.Gone) names.Add(CanonicalName.Of(NameOf(path)).Text);
        return names;
    }

    /// <summary>Decides.</summary>
    /// <param name="upstream">The upstream.</param>
    /// <param name="batch">What it brings.</param>
    /// <param name="known">The crates that have one of the names, of all sources.</param>
    /// <param name="reserved">Which of the names an operator reserved.</param>
    /// <param name="pruned">Whether a path is gone because it is no longer followed: such a crate goes whatever the policy.</param>
    public static SyncPlan Of(Registry.Upstreams.Upstream upstream, SyncBatch batch, IReadOnlyList<KnownCrate> known, IReadOnlySet<string> reserved, Func<string, bool> pruned)
    {
        ArgumentNullException.ThrowIfNull(upstream);
        ArgumentNullException.ThrowIfNull(batch);
        ArgumentNullException.ThrowIfNull(pruned);
        var ours = known.Where(crate => crate.Source == upstream.Name).ToDictionary(static crate => crate.Canonical, StringComparer.Ordinal);
        var others = known.Where(crate => crate.Source != upstream.Name).ToLookup(static crate => crate.Canonical, StringComparer.Ordinal);
        var (files, removed, kept) = (new List<PlannedFile>(), new List<KnownCrate>(), new List<KnownCrate>());
        var (bad, contested, equal) = (new List<BadFile>(batch.Bad), new HashSet<string>(StringComparer.Ordinal), 0);

        // First what goes: a crate that is spelt anew goes under one path and comes under another.
        foreach (var path in batch.Gone)
        {
            var canonical = CanonicalName.Of(NameOf(path)).Text;
            if (ours.GetValueOrDefault(canonical) is not { IsActive: true } crate || !IsAt(crate, path)) continue;
            var stays = upstream.Removals == RemovalPolicies.Keep && !pruned(canonical);
            if (!stays || !crate.IsGone) (stays ? kept : removed).Add(crate);
            ours[canonical] = crate with { IsActive = stays, IsGone = true };
            if (!stays && others[canonical].Any()) contested.Add(canonical);
        }

        var written = new HashSet<string>(StringComparer.Ordinal);
        foreach (var file in batch.Taken)
        {
            var canonical = CanonicalName.Of(file.File.Name).Text;
            var crate = ours.GetValueOrDefault(canonical);
            var clash = !written.Add(canonical) || (crate is { IsActive: true, IsGone: false } && !IsAt(crate, file.Path));
            if (clash) bad.Add(new BadFile(file.Path, file.BlobId, "name-taken", $"the upstream has another crate whose name differs from `{file.File.Name}` in spelling alone"));
            else if (crate is { IsActive: true, IsGone: false } && crate.BlobId == file.BlobId) equal++;
            else files.Add(Planned(file, canonical, crate));
            if (!clash && upstream.Collisions == CollisionPolicies.Refuse && others[canonical].Any(static other => other is { IsActive: true, Source: "local" }))
                bad.Add(new BadFile(file.Path, file.BlobId, "name-collision", $"`{file.File.Name}` is a local crate too; the upstream's is not served"));
        }

        return new SyncPlan(files, removed, kept, bad, [.. contested], equal);

        PlannedFile Planned(TakenFile file, string canonical, KnownCrate? crate)
        {
            var alone = !others[canonical].Any() && !reserved.Contains(canonical);
            // Who was there and is there again may meet somebody who came meanwhile.
            if (!alone && crate is not { IsActive: true }) contested.Add(canonical);
            var place = crate is null ? others[canonical].Select(static other => other.PlaceId ?? other.Id).Cast<long?>().FirstOrDefault() : null;
            return new PlannedFile(file, canonical, crate, place, IsServed: alone);
        }
    }

    private static bool IsAt(KnownCrate crate, string path) => string.Equals(crate.Name, NameOf(path), StringComparison.OrdinalIgnoreCase);
}
