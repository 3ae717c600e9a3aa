using Pipeline.Contracts;
using Pipeline.Registry.Database;
using Pipeline.Registry.Identity;
using Pipeline.Registry.Truth;

namespace Pipeline.Registry.Upstreams;

/// <summary>A name that an operator keeps for local crates.</summary>
/// <param name="Name">The name.</param>
/// <param name="Reason">Why, if that was said.</param>
/// <param name="ReservedAt">When, in UTC microseconds.</param>
public sealed record LocalName(string Name, string? Reason, long ReservedAt);

/// <summary>Names that are local whatever an upstream has: from then on, and not only when there is a local crate, the upstream's is not served.</summary>
public static class LocalNames
{
    /// <summary>All of them, by name.</summary>
    public static ValueTask<List<LocalName>> AllAsync(Statements sql)
    {
        ArgumentNullException.ThrowIfNull(sql);
        return sql.QueryAsync("SELECT name, reason, reserved_at FROM local_names WHERE namespace = '' ORDER BY canonical", static row => new LocalName(row.Text(0), row.TextOrNull(1), row.Long(2)));
    }

    /// <summary>Reserves a name.</summary>
    /// <returns>What changed of the crates of that name; null: who is served is as before.</returns>
    public static async ValueTask<Revised?> ReserveAsync(Statements sql, string name, string? reason, Actor actor)
    {
        ArgumentNullException.ThrowIfNull(sql);
        await sql.ExecuteAsync(
            """
            INSERT INTO local_names (canonical, name, reason, user_id, reserved_at) VALUES ($1, $2, $3, $4, now_us())
            ON CONFLICT (namespace, canonical) DO UPDATE SET reason = excluded.reason, user_id = excluded.user_id
            """,
            CanonicalName.Of(name).Text, name, reason, actor.UserId).ConfigureAwait(false);
        await Audit.WriteAsync(sql, "reserve-name", actor, detail: name).ConfigureAwait(false);
        return await SettleAsync(sql, CanonicalName.Of(name).Text).ConfigureAwait(false);
    }

    /// <summary>Gives a name back: where there is no local crate, an upstream's is served again.</summary>
    /// <returns>Whether it was reserved, and what changed.</returns>
    public static async ValueTask<(bool Was, Revised? Revised)> ReleaseAsync(Statements sql, string name, Actor actor)
    {
        ArgumentNullException.ThrowIfNull(sql);
        var canonical = CanonicalName.Of(name).Text;
        if (await sql.ExecuteAsync("DELETE FROM local_names WHERE namespace = '' AND canonical = $1", canonical).ConfigureAwait(false) == 0) return (false, null);
        await Audit.WriteAsync(sql, "release-name", actor, detail: name).ConfigureAwait(false);
        return (true, await SettleAsync(sql, canonical).ConfigureAwait(false));
    }

    /// <summary>Chooses anew for every name that more than one source has, after a policy changed.</summary>
    public static async ValueTask<List<Revised>> SettleAllAsync(Statements sql)
    {
        ArgumentNullException.ThrowIfNull(sql);
        var revised = new List<Revised>();
        var names = await sql.QueryAsync("SELECT canonical FROM crates WHERE place_id IS NOT NULL", static row => row.Text(0)).ConfigureAwait(false);
        foreach (var canonical in names.Distinct(StringComparer.Ordinal))
        {
            if (await SettleAsync(sql, canonical).ConfigureAwait(false) is { } one) revised.Add(one);
        }

        return revised;
    }

    private static async ValueTask<Revised?> SettleAsync(Statements sql, string canonical) =>
        await ServedNames.SettleAsync(sql, canonical).ConfigureAwait(false) is { } place ? await Revisions.BumpAsync(sql, place, "source", null).ConfigureAwait(false) : null;
}
