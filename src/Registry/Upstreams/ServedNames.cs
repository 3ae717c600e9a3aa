using Pipeline.Registry.Database;

namespace Pipeline.Registry.Upstreams;

/// <summary>One of the crates that have a name.</summary>
/// <param name="Id">Its row.</param>
/// <param name="IsLocal">Whether it was published here.</param>
/// <param name="IsActive">Whether it is there; of an upstream that is no longer followed none is.</param>
/// <param name="IsServed">Whether it is served now.</param>
/// <param name="Policy">Its upstream's policy; null: it is local.</param>
/// <param name="Place">Its upstream's place; of two the lower goes first.</param>
public readonly record struct NameHolder(long Id, bool IsLocal, bool IsActive, bool IsServed, string? Policy, long Place);

/// <summary>
/// Which of the crates of one name is served. A crate's versions come from one source and are never merged: a name that a stranger took in
/// an upstream must not add versions to ours.
/// </summary>
public static class ServedNames
{
    private const string HoldersSql =
        """
        SELECT c.id, c.source = 'local', c.state = 'active' AND (c.source = 'local' OR u.removed_at IS NULL), c.served, u.collisions, COALESCE(u.place, 0)
        FROM crates c LEFT JOIN upstreams u ON u.name = c.source
        WHERE c.namespace = '' AND c.canonical = $1 AND c.source IN (SELECT 'local' UNION ALL SELECT name FROM upstreams)
        """;

    /// <summary>
    /// Chooses. A reserved name is local even before there is a local crate. A local crate keeps its name when it is deleted: what an upstream has
    /// under it must not take its place unasked.
    /// </summary>
    /// <param name="holders">The crates of the name, at least one.</param>
    /// <param name="reserved">Whether an operator reserved the name.</param>
    /// <returns>The row to serve; null: none.</returns>
    public static long? Choose(IReadOnlyList<NameHolder> holders, bool reserved)
    {
        ArgumentNullException.ThrowIfNull(holders);
        long? local = null;
        foreach (var holder in holders)
        {
            if (holder.IsLocal) local = holder.Id;
        }

        if (reserved) return local;
        var upstreams = holders.Where(static holder => holder is { IsLocal: false, IsActive: true }).OrderBy(static holder => holder.Place).ToList();
        if (local is not null) return upstreams.Where(static holder => holder.Policy == CollisionPolicies.UpstreamWins).Select(static holder => (long?)holder.Id).FirstOrDefault() ?? local;
        return upstreams.Count > 0 ? upstreams[0].Id
            : holders.Where(static holder => holder.IsServed).Select(static holder => (long?)holder.Id).FirstOrDefault();
    }

    /// <summary>Chooses anew for one name, in the caller's transaction, after one of its crates, a policy or a reservation changed.</summary>
    /// <returns>The row whose projections show the name, when another crate is served now: bump it; null: nothing changed.</returns>
    public static async ValueTask<long?> SettleAsync(Statements sql, string canonical)
    {
        ArgumentNullException.ThrowIfNull(sql);
        var holders = await sql.QueryAsync(
            HoldersSql, static row => new NameHolder(row.Long(0), row.Bool(1), row.Bool(2), row.Bool(3), row.TextOrNull(4), row.Long(5)), canonical).ConfigureAwait(false);
        if (holders.Count == 0) return null;
        var served = Choose(holders, await IsReservedAsync(sql, canonical).ConfigureAwait(false));
        if (holders.All(holder => holder.IsServed == (holder.Id == served))) return null;
        // Cleared first: of one name one row may be served at any moment.
        foreach (var holder in holders.Where(holder => holder.IsServed && holder.Id != served))
            await sql.ExecuteAsync("UPDATE crates SET served = FALSE WHERE id = $1", holder.Id).ConfigureAwait(false);
        if (served is { } id) await sql.ExecuteAsync("UPDATE crates SET served = TRUE WHERE id = $1", id).ConfigureAwait(false);
        return await sql.LongAsync("SELECT COALESCE(place_id, id) FROM crates WHERE id = $1", holders[0].Id).ConfigureAwait(false);
    }

    /// <summary>Whether an operator reserved a name for local crates.</summary>
    public static async ValueTask<bool> IsReservedAsync(Statements sql, string canonical)
    {
        ArgumentNullException.ThrowIfNull(sql);
        return await sql.LongAsync("SELECT 1 FROM local_names WHERE namespace = '' AND canonical = $1", canonical).ConfigureAwait(false) is not null;
    }
}
