using Pipeline.Registry.Database;
using Pipeline.Registry.Store;

namespace Pipeline.Registry.Upstreams;

/// <summary>What can be the matter with a mirrored file.</summary>
public static class FileStates
{
    /// <summary>It waits for a fetch.</summary>
    public const string Wanted = "wanted";

    /// <summary>Its bytes are here, and are the ones that its index line names.</summary>
    public const string Kept = "kept";

    /// <summary>Its bytes were here and made room for others.</summary>
    public const string Evicted = "evicted";

    /// <summary>What the upstream gave for it was not taken; it is fetched again when somebody replays the failure.</summary>
    public const string Refused = "refused";
}

/// <summary>How many files of an upstream there are in each state.</summary>
/// <param name="Wanted">Those that wait for a fetch.</param>
/// <param name="Kept">Those that are here.</param>
/// <param name="Evicted">Those that were here.</param>
/// <param name="Refused">Those that were not taken.</param>
/// <param name="KeptBytes">The bytes of those that are here.</param>
public sealed record FileCounts(long Wanted, long Kept, long Evicted, long Refused, long KeptBytes);

/// <summary>A file that could not be had.</summary>
/// <param name="Name">Its crate.</param>
/// <param name="Num">Its version.</param>
/// <param name="State">One of <see cref="FileStates"/>.</param>
/// <param name="Text">Why.</param>
/// <param name="Attempts">How often it was tried.</param>
/// <param name="NextTryAt">The next try; null: none by itself.</param>
public sealed record TroubledFile(string Name, string Num, string State, string Text, long Attempts, long? NextTryAt);

/// <summary>The rows of the files of mirrored crates: one for each file that an index line names, once it is wanted here.</summary>
public static class UpstreamFiles
{
    /// <summary>Files that somebody asked for are fetched before all others: their turn is at least this.</summary>
    public const long AskedTurn = 1L << 61;

    // Of two files that were asked for, the one asked for first has the higher turn.
    private const long FirstAsked = 1L << 62;

    // So exact is `used_at`: eviction needs no more, and a download costs no write.
    private const long UseMicroseconds = 3600 * Microseconds.Second;

    /// <summary>Wants a file that somebody asks for, unless it is wanted so already, is here, or was refused.</summary>
    /// <param name="sql">The open transaction.</param>
    /// <param name="crateId">Its crate's row.</param>
    /// <param name="source">Its upstream.</param>
    /// <param name="name">The crate's name as its index spells it.</param>
    /// <param name="num">The version as its line spells it.</param>
    /// <param name="checksum">Its <c>cksum</c>.</param>
    /// <returns>Whether that is new: ring.</returns>
    public static async ValueTask<bool> AskAsync(Statements sql, long crateId, string source, string name, string num, string checksum)
    {
        ArgumentNullException.ThrowIfNull(sql);
        return await sql.ExecuteAsync(
            """
            INSERT INTO upstream_files (crate_id, num, checksum, state, object_key, wanted_at, used_at, turn) VALUES ($1, $2, $3, 'wanted', $4, now_us(), now_us(), $5 - now_us())
            ON CONFLICT (crate_id, num, checksum) DO UPDATE SET state = 'wanted', wanted_at = excluded.wanted_at, used_at = excluded.used_at, turn = excluded.turn
            WHERE upstream_files.state = 'evicted' OR (upstream_files.state = 'wanted' AND upstream_files.turn < $6)
            """,
            crateId, num, checksum, StoreKeys.UpstreamFile(source, name, num, checksum), FirstAsked, AskedTurn).ConfigureAwait(false) == 1;
    }

    /// <summary>How many files of an upstream there are.</summary>
    public static async ValueTask<FileCounts> CountAsync(Statements sql, string upstream)
    {
        ArgumentNullException.ThrowIfNull(sql);
        var states = await sql.QueryAsync(
            """
            SELECT f.state, COUNT(*), CAST(COALESCE(SUM(f.size), 0) AS BIGINT) FROM upstream_files f JOIN crates c ON c.id = f.crate_id
            WHERE c.namespace = '' AND c.source = $1 GROUP BY f.state
            """,
            static row => (State: row.Text(0), Files: row.Long(1), Bytes: row.Long(2)), upstream).ConfigureAwait(false);
        var of = states.ToDictionary(static row => row.State, StringComparer.Ordinal);
        return new FileCounts(
            of.GetValueOrDefault(FileStates.Wanted).Files, of.GetValueOrDefault(FileStates.Kept).Files, of.GetValueOrDefault(FileStates.Evicted).Files,
            of.GetValueOrDefault(FileStates.Refused).Files, of.GetValueOrDefault(FileStates.Kept).Bytes);
    }

    /// <summary>Files that could not be had, refused ones first.</summary>
    public static ValueTask<List<TroubledFile>> TroubledAsync(Statements sql, string upstream, int most)
    {
        ArgumentNullException.ThrowIfNull(sql);
        return sql.QueryAsync(
            """
            SELECT c.name, f.num, f.state, f.last_error, f.attempts, f.next_try_at FROM upstream_files f CROSS JOIN crates c
            WHERE c.id = f.crate_id AND c.namespace = '' AND c.source = $1 AND f.state IN ('wanted', 'refused') AND f.last_error IS NOT NULL ORDER BY f.state, c.name, f.num LIMIT $2
            """,
            static row => new TroubledFile(row.Text(0), row.Text(1), row.Text(2), row.Text(3), row.Long(4), row.LongOrNull(5)), upstream, (long)most);
    }

    /// <summary>Whether the last use of a file that is known is so long ago that a new one is to be noted.</summary>
    public static bool IsOld(long usedAt, long now) => now - usedAt > UseMicroseconds;

    /// <summary>Notes a use.</summary>
    public static ValueTask<int> UsedAsync(Statements sql, string objectKey)
    {
        ArgumentNullException.ThrowIfNull(sql);
        return sql.ExecuteAsync("UPDATE upstream_files SET used_at = now_us() WHERE object_key = $1 AND state = 'kept'", objectKey);
    }

    /// <summary>The bytes of a kept file are not where they should be: it is as if they had made room for others.</summary>
    public static ValueTask<int> LostAsync(Statements sql, string objectKey)
    {
        ArgumentNullException.ThrowIfNull(sql);
        return sql.ExecuteAsync("UPDATE upstream_files SET state = 'evicted', size = NULL WHERE object_key = $1 AND state = 'kept'", objectKey);
    }

    /// <summary>
    /// Forgets what nobody fetches any more after an upstream's mode changed, or it is followed no longer. What is kept stays and is served.
    /// </summary>
    /// <param name="sql">The open transaction.</param>
    /// <param name="upstream">The upstream.</param>
    /// <param name="mode">Its mode from now on: one of <see cref="UpstreamModes"/>.</param>
    public static async ValueTask ForgetWantedAsync(Statements sql, string upstream, string mode)
    {
        ArgumentNullException.ThrowIfNull(sql);
        if (mode == UpstreamModes.Full) return;
        await sql.ExecuteAsync("UPDATE crates SET files_blob = NULL WHERE namespace = '' AND source = $1 AND files_blob IS NOT NULL", upstream).ConfigureAwait(false);
        await sql.ExecuteAsync(
            "DELETE FROM upstream_files WHERE state = 'wanted' AND turn < $2 AND crate_id IN (SELECT id FROM crates WHERE namespace = '' AND source = $1)",
            upstream, mode == UpstreamModes.OnDemand ? AskedTurn : long.MaxValue).ConfigureAwait(false);
    }
}
