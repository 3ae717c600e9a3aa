using System.Text.Json;
using Pipeline.Contracts;
using Pipeline.Registry.Database;
using Pipeline.Registry.Failures;
using Pipeline.Registry.Identity;
using Pipeline.Registry.Options;
using Pipeline.Registry.Truth;

namespace Pipeline.Workers.Manifests;

/// <summary>How an attempt to reserve a version ended.</summary>
public abstract record Reserved
{
    private Reserved()
    {
    }

    /// <summary>It is ours to store and record.</summary>
    /// <param name="Fence">Must still stand when the version is recorded.</param>
    /// <param name="CrateId">The crate, or null when this publish makes it.</param>
    /// <param name="Revived">The crate was deleted and its name is free again.</param>
    /// <param name="TakesAgain">A deleted version held the number and gives it up.</param>
    /// <param name="PlaceId">The crate of an upstream that had the name first; null: nobody had.</param>
    public sealed record Ours(long Fence, long? CrateId, bool Revived, bool TakesAgain, long? PlaceId) : Reserved;

    /// <summary>A rule of the database refuses it.</summary>
    /// <param name="Reject">Why.</param>
    public sealed record Refused(Reject Reject) : Reserved;

    /// <summary>The version is there with the same bytes: a retry, already accepted.</summary>
    public sealed record Same : Reserved;

    /// <summary>Another publish holds it; this one is queued behind it.</summary>
    /// <param name="Holder">The holder of the reservation.</param>
    public sealed record Busy(string Holder) : Reserved;

    /// <summary>The publish is decided already.</summary>
    public sealed record Over : Reserved;
}

/// <summary>
/// Step 1 of reserve, store, record: in one short transaction the rules that need the database (crates-io-behaviour §1.4 rows 36 to 42),
/// then an invisible reservation, unique over crate and version number.
/// </summary>
public static class Reservation
{
    private sealed record CrateState(long Id, string Name, bool Deleted, bool Available, long AvailableAt, bool ReuseNumbers, bool Owned);

    private sealed record Taken(long VersionId, string Checksum, bool Deleted);

    private sealed record Rules(bool Over, bool ReadOnly, bool Reserved, CrateState? Crate, Taken? Taken, string? Upstream, bool IsLocalName, long? PlaceId, TokenScopes Scopes);

    /// <summary>Runs the rules and reserves.</summary>
    /// <exception cref="TransientException">The registry is read-only; the publish waits.</exception>
    public static async ValueTask<Reserved> ReserveAsync(Statements sql, VersionFacts version, PublishOptions limits, IReadOnlySet<string> categories)
    {
        ArgumentNullException.ThrowIfNull(sql);
        ArgumentNullException.ThrowIfNull(version);
        var publish = version.Publish;
        var canonical = CanonicalName.Of(publish.Name);
        var numNoBuild = version.Release.Version.WithoutBuild;

        // The reservation first, the rules under it: whoever held it before has committed its version or its reject, so that the rules, read
        // by later statements, see that. Read before it, they could let two publishes have the same number.
        if (await TakeAsync(sql, publish, canonical.Text, numNoBuild).ConfigureAwait(false) is not { } fence)
            return await QueueAsync(sql, publish, canonical.Text, numNoBuild).ConfigureAwait(false);
        var reserved = await ApplyRulesAsync(sql, version, canonical, fence, limits, categories).ConfigureAwait(false);
        if (reserved is not Reserved.Ours) await Publishes.ReleaseAsync(sql, publish.Id).ConfigureAwait(false);
        return reserved;
    }

    /// <summary>Whether a reservation still stands as it was made.</summary>
    public static async ValueTask<bool> IsHeldAsync(Statements sql, string holder, long fence)
    {
        ArgumentNullException.ThrowIfNull(sql);
        return await sql.LongAsync("SELECT 1 FROM reservations WHERE holder = $1 AND fence = $2", holder, fence).ConfigureAwait(false) is not null;
    }

    private static async ValueTask<Reserved> ApplyRulesAsync(
        Statements sql, VersionFacts version, CanonicalName canonical, long fence, PublishOptions limits, IReadOnlySet<string> categories)
    {
        var (publish, numNoBuild) = (version.Publish, version.Release.Version.WithoutBuild);
        var (over, readOnly, reserved, crate, taken, upstream, isLocalName, placeId, scopes) = await ReadAsync(sql, publish, canonical, numNoBuild).ConfigureAwait(false);
        if (over) return new Reserved.Over();
        if (readOnly) throw ReadOnlyState.Refused();
        var exists = crate is { Deleted: false };
        if (reserved || ReservedNames.Contains(canonical)) return new Reserved.Refused(RegistryRejects.ReservedName());
        // Whoever builds against this registry means the upstream's crate by that name, unless an operator says otherwise.
        if (!exists && upstream is not null && !isLocalName) return new Reserved.Refused(RegistryRejects.UpstreamName(publish.Name, upstream));
        if (crate is { Deleted: true, Available: false })
            return new Reserved.Refused(RegistryRejects.RecentlyDeleted(crate.Name, Microseconds.Time(crate.AvailableAt)));
        if (exists && !crate!.Owned) return new Reserved.Refused(RegistryRejects.NotOwner());
        // A token for new crates makes one version of each: whichever of several at once is the first here.
        if (StandingRight.ToPublish(scopes, exists, publish.Name) is { } outOfScope) return new Reserved.Refused(outOfScope);
        if (exists && crate!.Name != publish.Name) return new Reserved.Refused(RegistryRejects.PreviouslyNamed(crate.Name));
        if (exists && taken is { Deleted: false } && taken.Checksum == publish.Checksum)
        {
            await AcceptSameAsync(sql, publish, crate!.Id, taken.VersionId).ConfigureAwait(false);
            return new Reserved.Same();
        }

        if (exists && await TooManyTodayAsync(sql, crate!.Id, limits).ConfigureAwait(false)) return new Reserved.Refused(RegistryRejects.TooManyVersionsToday());
        if (taken is not null && !MayTakeAgain(taken, crate!, publish)) return new Reserved.Refused(RegistryRejects.AlreadyUploaded(numNoBuild));
        if (await UnknownDependencyAsync(sql, version, exists).ConfigureAwait(false) is { } unknown) return new Reserved.Refused(RegistryRejects.UnknownCrate(unknown));
        var slugs = version.Release.Categories.Where(slug => !categories.Contains(slug)).ToList();
        if (slugs.Count > 0) return new Reserved.Refused(RegistryRejects.UnknownCategories(slugs));

        return new Reserved.Ours(fence, crate?.Id, crate is { Deleted: true }, taken is not null, placeId);
    }

    private static async ValueTask<Rules> ReadAsync(
        Statements sql, PublishRow publish, CanonicalName canonical, string numNoBuild) =>
        (await sql.FirstAsync(
            """
            SELECT p.decided_at IS NOT NULL,
                EXISTS (SELECT 1 FROM reserved_names r WHERE r.namespace = '' AND r.canonical = $2),
                c.id, c.name, c.state = 'deleted', c.available_at IS NULL OR c.available_at <= now_us(), c.available_at, c.reuse_numbers,
                EXISTS (SELECT 1 FROM owners o WHERE o.crate_id = c.id AND o.user_id = p.user_id),
                v.id, v.checksum, v.state = 'deleted', EXISTS (SELECT 1 FROM registry g WHERE g.read_only),
                (SELECT u.source FROM upstreams s JOIN crates u ON u.namespace = '' AND u.source = s.name AND u.canonical = $2
                    WHERE s.removed_at IS NULL AND u.state = 'active' ORDER BY s.place LIMIT 1),
                EXISTS (SELECT 1 FROM local_names l WHERE l.namespace = '' AND l.canonical = $2),
                (SELECT COALESCE(u.place_id, u.id) FROM upstreams s JOIN crates u ON u.namespace = '' AND u.source = s.name AND u.canonical = $2 LIMIT 1),
                t.endpoint_scopes, t.crate_scopes
            FROM publishes p
            LEFT JOIN tokens t ON t.id = p.token_id
            LEFT JOIN crates c ON c.namespace = '' AND c.source = 'local' AND c.canonical = $2
            LEFT JOIN versions v ON v.crate_id = c.id AND v.num_no_build = $3 AND NOT v.freed
            WHERE p.id = $1
            """,
            static row => new Rules(
                row.Bool(0),
                row.Bool(12),
                row.Bool(1),
                row.IsNull(2) ? null : new CrateState(row.Long(2), row.Text(3), row.Bool(4), row.Bool(5), row.LongOrNull(6) ?? 0, row.Bool(7), row.Bool(8)),
                row.IsNull(9) ? null : new Taken(row.Long(9), row.Text(10), row.Bool(11)),
                row.TextOrNull(13),
                row.Bool(14),
                row.LongOrNull(15),
                TokenScopes.FromStored(row.TextOrNull(16), row.TextOrNull(17))),
            publish.Id, canonical.Text, numNoBuild).ConfigureAwait(false))!;

    /// <summary>A deleted version's number stays taken, but for its own bytes or where an operator allowed others.</summary>
    private static bool MayTakeAgain(Taken taken, CrateState crate, PublishRow publish) =>
        taken.Deleted && (crate.ReuseNumbers || taken.Checksum == publish.Checksum);

    private static async ValueTask<bool> TooManyTodayAsync(Statements sql, long crateId, PublishOptions limits)
    {
        if (limits.MaxDailyVersions is not { } most) return false;
        var today = await sql.LongAsync(
            "SELECT count(*) FROM versions WHERE crate_id = $1 AND published_at > (SELECT now_us()) - 86400000000", crateId).ConfigureAwait(false);
        return today >= most;
    }

    private static async ValueTask<string?> UnknownDependencyAsync(Statements sql, VersionFacts version, bool exists)
    {
        var names = version.Release.LocalDependencies;
        if (names.Count == 0 || version.Claims.AllowMissingDependencies) return null;
        var json = JsonSerializer.Serialize(names, VersionJson.Default.IReadOnlyListString);
        // Case and '-' or '_' matter here, unlike everywhere else (crates-io-behaviour §11.4). By name alone: SQLite would rather read all that is served.
        var known = await sql.QueryAsync(
            $"SELECT name FROM crates WHERE name IN {sql.Dialect.TextList("$1")} AND namespace || '' = '' AND state = 'active' AND served", static row => row.Text(0), json).ConfigureAwait(false);
        if (!exists) known.Add(version.Publish.Name);
        return names.FirstOrDefault(name => !known.Contains(name, StringComparer.Ordinal));
    }

    private static async ValueTask AcceptSameAsync(Statements sql, PublishRow publish, long crateId, long versionId)
    {
        var revision = await sql.LongAsync("SELECT revision FROM crates WHERE id = $1", crateId).ConfigureAwait(false);
        await Publishes.AcceptAsync(sql, publish.Id, crateId, versionId, revision!.Value, 0).ConfigureAwait(false);
    }

    // The reservation of a publish at work is left as it is, but its row is locked until this transaction ends: its holder cannot end
    // meanwhile. One that a decided publish left behind (a run of it reserved while another gave it up, and died) is anybody's.
    private static ValueTask<long?> TakeAsync(Statements sql, PublishRow publish, string canonical, string numNoBuild) => sql.LongAsync(
        """
        INSERT INTO reservations (namespace, source, canonical, num_no_build, holder, checksum, fence, reserved_at)
        VALUES ('', 'local', $1, $2, $3, $4, 1, now_us())
        ON CONFLICT (namespace, source, canonical, num_no_build)
        DO UPDATE SET fence = reservations.fence + 1, reserved_at = now_us(), holder = excluded.holder, checksum = excluded.checksum
            WHERE reservations.holder = excluded.holder
                OR EXISTS (SELECT 1 FROM publishes h WHERE h.id = reservations.holder AND h.decided_at IS NOT NULL)
        RETURNING fence
        """,
        canonical, numNoBuild, publish.Id, publish.Checksum);

    // The holder, when it ends, gives back the reservation before it wakes who waits, so it comes behind this transaction.
    private static async ValueTask<Reserved> QueueAsync(Statements sql, PublishRow publish, string canonical, string numNoBuild)
    {
        var holder = await sql.TextAsync(
            "SELECT holder FROM reservations WHERE namespace = '' AND source = 'local' AND canonical = $1 AND num_no_build = $2", canonical, numNoBuild).ConfigureAwait(false)
            ?? throw new InvalidOperationException($"the reservation of {canonical} {numNoBuild} vanished under its lock");
        return await Publishes.WaitForAsync(sql, publish.Id, holder).ConfigureAwait(false) == 1 ? new Reserved.Busy(holder) : new Reserved.Over();
    }
}
