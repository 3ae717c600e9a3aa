using System.Text.Json.Nodes;
using Pipeline.Registry.Database;
using Pipeline.Registry.Options;
using Pipeline.Registry.Store;
using Pipeline.Registry.Truth;

namespace Pipeline.Workers.Fetching;

/// <summary>
/// Keeps the files of mirrored crates to their budget: what was used longest ago goes first, and what nothing serves any more. What is evicted
/// is fetched again when somebody asks for it. Files of local crates have no row here.
/// </summary>
public sealed class FileEviction(IDatabase database, IObjectStore store, MirrorOptions options, ThisProcess process, TimeProvider clock)
{
    private const int Page = 100;

    private static readonly TimeSpan Every = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan CountedFor = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan TakenFor = TimeSpan.FromMinutes(10);

    private long? _counted;
    private long _bytes;
    private long? _ranAt;

    /// <summary>A file was kept.</summary>
    public void Kept(long bytes) => Interlocked.Add(ref _bytes, bytes);

    /// <summary>Whether the budget is used up. Counted anew every few seconds.</summary>
    public async ValueTask<bool> IsFullAsync(CancellationToken cancellationToken)
    {
        if (options.MaxBytes == 0) return false;
        if (_counted is not { } at || clock.GetElapsedTime(at) > CountedFor)
        {
            Interlocked.Exchange(ref _bytes, await database.ReadAsync(BytesAsync, cancellationToken).ConfigureAwait(false));
            _counted = clock.GetTimestamp();
        }

        return Interlocked.Read(ref _bytes) >= options.MaxBytes;
    }

    /// <summary>Evicts, at most once a minute; for the sweep.</summary>
    public async ValueTask RunNowAndThenAsync(CancellationToken cancellationToken)
    {
        if (_ranAt is { } at && clock.GetElapsedTime(at) < Every) return;
        _ranAt = clock.GetTimestamp();
        await RunAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Evicts until the budget is kept. Returns how many files went.</summary>
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        var evicted = 0;
        // Counted once, and not in a transaction that others wait for: it reads a row for every file that is kept.
        var over = options.MaxBytes > 0 ? await database.ReadAsync(BytesAsync, cancellationToken).ConfigureAwait(false) - options.MaxBytes : 0;
        while (true)
        {
            var (keys, bytes) = await database.WriteAsync(sql => ChooseAsync(sql, over), cancellationToken).ConfigureAwait(false);
            if (keys.Count == 0) return evicted;
            over -= bytes;
            foreach (var key in keys)
            {
                // The row says evicted before the bytes go, so that nobody is sent to them; and it is taken, so that nobody brings them back meanwhile.
                await store.DeleteAsync(key, cancellationToken).ConfigureAwait(false);
                await database.WriteAsync(
                    sql => sql.ExecuteAsync("UPDATE upstream_files SET size = NULL, taken_by = NULL, taken_until = NULL WHERE object_key = $1 AND taken_by = $2", key, process.Id),
                    cancellationToken).ConfigureAwait(false);
            }

            evicted += keys.Count;
            _counted = null;
        }
    }

    private static async ValueTask<long> BytesAsync(Statements sql) =>
        await sql.LongAsync("SELECT CAST(COALESCE(SUM(size), 0) AS BIGINT) FROM upstream_files WHERE state = 'kept'").ConfigureAwait(false) ?? 0;

    private async ValueTask<(List<string> Keys, long Bytes)> ChooseAsync(Statements sql, long over)
    {
        // Of an eviction that did not end, the bytes may still be there.
        var keys = await sql.QueryAsync(
            """
            SELECT object_key FROM upstream_files f WHERE state = 'evicted' AND size IS NOT NULL
                AND (taken_by IS NULL OR taken_until <= now_us() OR NOT EXISTS (SELECT 1 FROM processes p WHERE p.id = f.taken_by)) LIMIT $1
            """,
            static row => row.Text(0), (long)Page).ConfigureAwait(false);
        // Bytes go last (design, law 5): when every projection has passed the removal. CROSS JOIN: SQLite begins with the crates, which are few.
        keys.AddRange(await sql.QueryAsync(
            """
            SELECT f.object_key FROM crates c CROSS JOIN upstream_files f
            WHERE f.crate_id = c.id AND c.source <> 'local' AND c.state = 'deleted' AND f.state = 'kept'
                AND NOT EXISTS (SELECT 1 FROM projections p WHERE p.crate_id = COALESCE(c.place_id, c.id) AND p.reached < p.wanted) LIMIT $1
            """,
            static row => row.Text(0), (long)Page).ConfigureAwait(false));
        var bytes = 0L;
        if (over > 0)
        {
            foreach (var (key, size) in await sql.QueryAsync(
                "SELECT object_key, size FROM upstream_files WHERE state = 'kept' ORDER BY used_at LIMIT $1", static row => (row.Text(0), row.Long(1)), (long)Page).ConfigureAwait(false))
            {
                if (bytes >= over) break;
                keys.Add(key);
                bytes += size;
            }
        }

        if (keys.Count == 0) return (keys, 0);
        var list = new JsonArray([.. keys.Select(static key => (JsonNode)key)]).ToJsonString();
        var taken = await sql.QueryAsync(
            $"""
            UPDATE upstream_files SET state = 'evicted', taken_by = $1, taken_until = now_us() + $2
            WHERE state IN ('kept', 'evicted') AND object_key IN {sql.Dialect.TextList("$3")} RETURNING object_key
            """,
            static row => row.Text(0), process.Id, Microseconds.Of(TakenFor), list).ConfigureAwait(false);
        return (taken, bytes);
    }
}
