using System.Globalization;
using Pipeline.Contracts;
using Pipeline.Registry.Database;
using Pipeline.Registry.Identity;

namespace Pipeline.Registry.Truth;

/// <summary>
/// Deletion as a state (design, law 6; crates-io-behaviour §7.1): the rows stay, the revision grows, the projections follow, and the
/// bytes go last. A crate published again later goes on with its row: its revision goes on, its owners are new.
/// </summary>
public static class CrateDeletion
{
    private static readonly long GraceTime = Microseconds.Of(TimeSpan.FromHours(72));

    /// <summary>Deletes a crate with all its versions, in the caller's transaction, which has locked it.</summary>
    /// <param name="sql">The open transaction.</param>
    /// <param name="crate">The crate.</param>
    /// <param name="delay">
    /// How long its name stays blocked. Zero: the name, all its version numbers and their bytes are free at once, which is for operators;
    /// otherwise the numbers stay taken.
    /// </param>
    /// <param name="actor">Who deletes it.</param>
    /// <param name="message">Why, if that was said.</param>
    public static async ValueTask<Revised> DeleteAsync(Statements sql, FoundCrate crate, TimeSpan delay, Actor actor, string? message)
    {
        var revised = await Revisions.BumpAsync(sql, crate.Id, "delete", null).ConfigureAwait(false);
        await sql.ExecuteAsync(
            """
            UPDATE crates SET state = 'deleted', deleted_at = now_us(), available_at = now_us() + $2,
                num_versions = 0, default_version = NULL, default_rank = NULL
            WHERE id = $1
            """,
            crate.Id, Microseconds.Of(delay)).ConfigureAwait(false);
        await sql.ExecuteAsync(
            "INSERT INTO deletions (crate_id, version_id, revision, object_key) SELECT crate_id, id, $2, object_key FROM versions WHERE crate_id = $1 AND state = 'active'",
            crate.Id, revised.Revision).ConfigureAwait(false);
        await sql.ExecuteAsync("UPDATE versions SET state = 'deleted', updated_at = now_us() WHERE crate_id = $1 AND state = 'active'", crate.Id).ConfigureAwait(false);
        if (delay <= TimeSpan.Zero) await sql.ExecuteAsync("UPDATE versions SET freed = $2 WHERE crate_id = $1", crate.Id, true).ConfigureAwait(false);
        var owners = await CrateOwners.ListAsync(sql, crate.Id).ConfigureAwait(false);
        await sql.ExecuteAsync("DELETE FROM owners WHERE crate_id = $1", crate.Id).ConfigureAwait(false);
        await Audit.WriteAsync(sql, "delete-crate", actor, crate.Id, detail: Detail(crate.Name, owners, message)).ConfigureAwait(false);
        return revised;
    }

    /// <summary>Frees at once what an earlier deletion still blocks: the name, all its version numbers and their bytes. For operators.</summary>
    /// <returns>Whether there is a deleted crate of that name.</returns>
    public static async ValueTask<bool> FreeAsync(Statements sql, string name, Actor actor)
    {
        var crateId = await sql.LongAsync(
            "UPDATE crates SET available_at = now_us() WHERE namespace = '' AND source = 'local' AND canonical = $1 AND state = 'deleted' RETURNING id",
            CanonicalName.Of(name).Text).ConfigureAwait(false);
        if (crateId is null) return false;
        await sql.ExecuteAsync("UPDATE versions SET freed = $2 WHERE crate_id = $1", crateId, true).ConfigureAwait(false);
        await Audit.WriteAsync(sql, "free-crate", actor, crateId, detail: name).ConfigureAwait(false);
        return true;
    }

    /// <summary>Deletes one version, in the caller's transaction, which has locked its crate.</summary>
    /// <param name="sql">The open transaction.</param>
    /// <param name="version">The version as found in this transaction.</param>
    /// <param name="free">Whether its number and bytes are free at once; otherwise its number stays taken.</param>
    /// <param name="actor">Who deletes it.</param>
    /// <param name="message">Why, if that was said.</param>
    public static async ValueTask<Revised> DeleteVersionAsync(Statements sql, FoundVersion version, bool free, Actor actor, string? message)
    {
        var crate = version.Crate;
        var revised = await Revisions.BumpAsync(sql, crate.Id, "delete", version.Num).ConfigureAwait(false);
        await sql.ExecuteAsync(
            "INSERT INTO deletions (crate_id, version_id, revision, object_key) SELECT crate_id, id, $2, object_key FROM versions WHERE id = $1",
            version.Id, revised.Revision).ConfigureAwait(false);
        await sql.ExecuteAsync("UPDATE versions SET state = 'deleted', freed = $2, updated_at = now_us() WHERE id = $1", version.Id, free).ConfigureAwait(false);
        await sql.ExecuteAsync("UPDATE crates SET num_versions = num_versions - 1 WHERE id = $1", crate.Id).ConfigureAwait(false);
        await DefaultVersion.RecomputeAsync(sql, crate.Id).ConfigureAwait(false);
        await Audit.WriteAsync(sql, "delete-version", actor, crate.Id, version.Id, message).ConfigureAwait(false);
        return revised;
    }

    /// <summary>Whether an account may delete a crate, in the order of crates-io-behaviour §7.1; null: it may. Downloads are not counted here.</summary>
    public static async ValueTask<Reject?> CheckAsync(Statements sql, FoundCrate crate, long userId)
    {
        if (!await CrateOwners.IsOwnerAsync(sql, crate.Id, userId).ConfigureAwait(false))
            return new Reject(RejectCodes.NotOwner, 403, "only owners have permission to delete crates");
        var (age, owners) = await sql.FirstAsync(
            "SELECT now_us() - created_at, (SELECT COUNT(*) FROM owners WHERE crate_id = $1) FROM crates WHERE id = $1",
            static row => (row.Long(0), row.Long(1)),
            crate.Id).ConfigureAwait(false);
        if (age > GraceTime && owners > 1) return Refuse("only crates with a single owner can be deleted after 72 hours");
        var dependent = await sql.TextAsync(
            """
            SELECT c.name || '@' || v.num FROM dependencies d
            JOIN versions v ON v.id = d.version_id AND v.state = 'active'
            JOIN crates c ON c.id = v.crate_id AND c.state = 'active'
            WHERE d.name = $2 AND c.id <> $1 ORDER BY c.name, v.id LIMIT 1
            """,
            crate.Id, crate.Name).ConfigureAwait(false);
        return dependent is null ? null : Refuse($"only crates without reverse dependencies can be deleted (e.g. {dependent} depends on this crate)");
    }

    private static Reject Refuse(Sentence text) => new(RejectCodes.Conflict, 422, text);

    private static string Detail(string name, List<Owner> owners, string? message)
    {
        var who = string.Join(", ", owners.Select(static owner => owner.Login));
        return message is null
            ? string.Create(CultureInfo.InvariantCulture, $"{name}, owned by {who}")
            : string.Create(CultureInfo.InvariantCulture, $"{name}, owned by {who}: {message}");
    }
}
