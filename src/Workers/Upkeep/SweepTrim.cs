using Pipeline.Registry.Cdn;
using Pipeline.Registry.Database;
using Pipeline.Registry.Options;
using Pipeline.Workers.Cdn;

namespace Pipeline.Workers.Upkeep;

/// <summary>
/// Forgets what was over long ago, a page at each sweep: resolved failures, confirmed purges, tokens that ended, and what dead processes did. It
/// writes only when there is something to forget.
/// </summary>
public sealed class SweepTrim(IDatabase database, UpkeepOptions options, CdnOptions cdn)
{
    private const long Page = 1000;

    // Each part reads the first entry of an index of just what it is about, however much has been kept: PostgreSQL would look for any row that is old
    // enough by reading them all, since it cannot know that none is.
    private const string AnySql =
        """
        SELECT 1 WHERE (SELECT MIN(resolved_at) FROM failures WHERE resolved_at IS NOT NULL) < now_us() - $1
            OR (SELECT MIN(expires_at) FROM tokens WHERE expires_at IS NOT NULL AND forgotten_at IS NULL) < now_us() - $2
            OR (SELECT MIN(revoked_at) FROM tokens WHERE revoked_at IS NOT NULL AND forgotten_at IS NULL) < now_us() - $2
            OR (SELECT MIN(confirmed_at) FROM purges WHERE confirmed_at IS NOT NULL) < now_us() - $3
            OR EXISTS (SELECT 1 FROM process_stages s WHERE NOT EXISTS (SELECT 1 FROM processes p WHERE p.id = s.process))
        """;

    private readonly long _failures = Microseconds.Of(TimeSpan.FromDays(options.KeepFailuresDays));
    private readonly long _tokens = Microseconds.Of(TimeSpan.FromDays(options.KeepTokensDays));
    private readonly TimeSpan _purges = TimeSpan.FromDays(cdn.KeepDays);

    /// <summary>Forgets a page of each.</summary>
    public async ValueTask RunAsync()
    {
        var any = await database.ReadAsync(sql => sql.LongAsync(AnySql, _failures, _tokens, Microseconds.Of(_purges))).ConfigureAwait(false);
        if (any is null) return;
        await database.WriteAsync(async sql =>
        {
            await sql.ExecuteAsync("DELETE FROM failures WHERE id IN (SELECT id FROM failures WHERE resolved_at < (SELECT now_us()) - $1 LIMIT $2)", _failures, Page).ConfigureAwait(false);
            await DuePurges.ForgetAsync(sql, _purges).ConfigureAwait(false);
            await sql.ExecuteAsync("DELETE FROM process_stages WHERE process NOT IN (SELECT id FROM processes)").ConfigureAwait(false);
            return await ForgetTokensAsync(sql).ConfigureAwait(false);
        }).ConfigureAwait(false);
    }

    /// <summary>A token's row is what publishes and the audit name, so it stays, without anything that a token could be known by.</summary>
    private async ValueTask<int> ForgetTokensAsync(Statements sql)
    {
        var ended = await sql.QueryAsync(
            """
            SELECT id FROM tokens WHERE expires_at < (SELECT now_us()) - $1 AND forgotten_at IS NULL
            UNION SELECT id FROM tokens WHERE revoked_at < (SELECT now_us()) - $1 AND forgotten_at IS NULL LIMIT $2
            """,
            static row => row.Long(0), _tokens, Page).ConfigureAwait(false);
        // Hashes are unique and have 32 bytes: eight that are the row's own id are nobody's.
        foreach (var id in ended) await sql.ExecuteAsync("UPDATE tokens SET forgotten_at = now_us(), hash = $2 WHERE id = $1", id, BitConverter.GetBytes(id)).ConfigureAwait(false);
        return ended.Count;
    }
}
