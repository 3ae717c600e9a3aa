using Pipeline.Registry.Database;

namespace Pipeline.Registry.Changes;

/// <summary>Part of the change feed.</summary>
/// <param name="Changes">The changes, in order.</param>
/// <param name="Settled">How far the feed reached when it was read.</param>
public sealed record ChangePage(IReadOnlyList<Change> Changes, long Settled);

/// <summary>
/// Everything that changed a crate, in order (design §3). It shows only what no running transaction can still precede, so that a reader who goes
/// on behind what it has seen misses nothing and meets nothing twice.
/// </summary>
public static class ChangeFeed
{
    /// <summary>The columns of a change; its row is <c>h</c>. <see cref="Read"/> reads them.</summary>
    public const string Columns = "h.id, h.at, h.kind, h.crate_id, h.name, h.num, h.revision, h.data";

    /// <summary>A change from <see cref="Columns"/>.</summary>
    public static Change Read(Row row) => new(
        row.Long(0), row.Long(1), row.Text(2), row.LongOrNull(3), row.TextOrNull(4), row.TextOrNull(5), row.LongOrNull(6), row.TextOrNull(7));

    /// <summary>The registry's epoch: a database that was restored from a backup has a new one.</summary>
    public static async ValueTask<string> EpochAsync(Statements sql)
    {
        ArgumentNullException.ThrowIfNull(sql);
        return await sql.TextAsync("SELECT epoch FROM registry WHERE id = 1").ConfigureAwait(false) ?? "";
    }

    /// <summary>
    /// How far the feed reaches: the last change that no running transaction can still precede; 0: there is none. What is read up to it must be
    /// read by a later statement.
    /// </summary>
    public static async ValueTask<long> SettledAsync(Statements sql)
    {
        ArgumentNullException.ThrowIfNull(sql);
        return await sql.LongAsync(sql.Dialect.ChangesSettled).ConfigureAwait(false) ?? 0;
    }

    /// <summary>Reads the changes behind one, in order.</summary>
    /// <param name="sql">The connection, outside any transaction that changes crates.</param>
    /// <param name="after">The id behind which to begin; 0: from the first.</param>
    /// <param name="most">How many at most.</param>
    public static async ValueTask<ChangePage> ReadAsync(Statements sql, long after, int most)
    {
        var settled = await SettledAsync(sql).ConfigureAwait(false);
        if (settled <= after) return new ChangePage([], settled);
        var changes = await sql.QueryAsync(
            $"SELECT {Columns} FROM changes h WHERE h.id > $1 AND h.id <= $2 ORDER BY h.id LIMIT $3", Read, after, settled, (long)most).ConfigureAwait(false);
        return new ChangePage(changes, settled);
    }
}
