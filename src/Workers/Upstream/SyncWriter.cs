using System.Data.Common;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Pipeline.Contracts;
using Pipeline.Registry.Database;
using Pipeline.Registry.Failures;
using Pipeline.Registry.Faults;
using Pipeline.Registry.Truth;
using Pipeline.Registry.Upstreams;

namespace Pipeline.Workers.Upstream;

/// <summary>
/// Writes one batch of a sync in one transaction: the crates' rows, who is served, one change, what every projection lacks, what could not be
/// taken, and how far the sync has got. So the watermark is never ahead of the rows, and a batch that comes again finds itself done.
/// </summary>
public sealed class SyncWriter(IDatabase database)
{
    // Rows per statement: PostgreSQL is asked a thirty-second as often, and the text is prepared once.
    private const int Chunk = 32;
    private const int Tries = 3;

    private static readonly string InsertMany = InsertSql(Chunk);
    private static readonly string InsertOne = InsertSql(1);

    /// <summary>What a batch did.</summary>
    /// <param name="Added">New crates.</param>
    /// <param name="Changed">Crates with another file than before.</param>
    /// <param name="Removed">Crates that went.</param>
    /// <param name="Equal">Files that were here already.</param>
    /// <param name="Bad">Files that could not be taken.</param>
    /// <param name="Lagging">The rows whose projections lag now.</param>
    public sealed record Written(int Added, int Changed, int Removed, int Equal, int Bad, IReadOnlyList<long> Lagging);

    /// <summary>Writes a batch.</summary>
    /// <param name="upstream">The upstream.</param>
    /// <param name="sync">The sync.</param>
    /// <param name="lease">Keeps another process from the same upstream.</param>
    /// <param name="batch">The batch.</param>
    /// <param name="pruned">Whether a canonical name is no longer followed.</param>
    /// <param name="knownBad">The paths that have a row in <c>upstream_items</c>.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>Null: the sync is another process's now.</returns>
    /// <exception cref="TransientException">The database is away or busy.</exception>
    public async Task<Written?> WriteAsync(
        Registry.Upstreams.Upstream upstream, SyncRow sync, Lease lease, SyncBatch batch, Func<string, bool> pruned, IReadOnlySet<string> knownBad, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                var written = await database.WriteAsync(sql => RunAsync(sql, upstream, sync, lease, batch, pruned, knownBad), cancellationToken).ConfigureAwait(false);
                FaultPoints.Reach("upstream.batch");
                return written;
            }
            catch (DbException) when (attempt < Tries)
            {
                // A publish took one of the names between the look and the write: looked at again, the plan is another.
            }
        }
    }

    /// <summary>Ends a sync that went well: the next comes after its interval.</summary>
    /// <param name="upstream">The upstream.</param>
    /// <param name="sync">The sync; null: there was nothing to write, so none was begun.</param>
    /// <param name="lease">Keeps another process from the same upstream.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>False: the sync is another process's now.</returns>
    /// <exception cref="TransientException">The database is away or busy.</exception>
    public Task<bool> EndAsync(Registry.Upstreams.Upstream upstream, SyncRow? sync, Lease lease, CancellationToken cancellationToken) => database.WriteAsync(
        async sql => await lease.KeepAsync(sql).ConfigureAwait(false) && (sync is null || await SyncRow.EndAsync(sql, sync.Id, "done").ConfigureAwait(false))
            && await UpstreamStore.CheckedAsync(sql, upstream.Name).ConfigureAwait(false) == 1,
        cancellationToken).AsTask();

    private static async ValueTask<Written?> RunAsync(
        Statements sql, Registry.Upstreams.Upstream upstream, SyncRow sync, Lease lease, SyncBatch batch, Func<string, bool> pruned, IReadOnlySet<string> knownBad)
    {
        if (!await lease.KeepAsync(sql).ConfigureAwait(false)) return null;
        if (await ReadOnlyState.IsOnAsync(sql).ConfigureAwait(false)) throw ReadOnlyState.Refused();
        var names = Json(SyncPlan.Names(batch));
        var known = await KnownAsync(sql, names).ConfigureAwait(false);
        var reserved = await sql.QueryAsync($"SELECT canonical FROM local_names WHERE namespace = '' AND canonical IN {sql.Dialect.TextList("$1")}", static row => row.Text(0), names).ConfigureAwait(false);
        var plan = SyncPlan.Of(upstream, batch, known, reserved.ToHashSet(StringComparer.Ordinal), pruned);

        var changed = await InsertAsync(sql, upstream, plan.Files).ConfigureAwait(false);
        await RemoveAsync(sql, plan).ConfigureAwait(false);
        changed.AddRange(plan.Removed.Select(static crate => (crate.Id, crate.PlaceId)));
        var places = new HashSet<long>();
        foreach (var (_, place) in changed)
        {
            if (place is { } shared) places.Add(shared);
        }

        foreach (var canonical in plan.Contested)
        {
            if (await ServedNames.SettleAsync(sql, canonical).ConfigureAwait(false) is { } place) places.Add(place);
        }

        var lagging = changed.Where(static crate => crate.Place is null).Select(static crate => crate.Id).Union(places).ToList();
        await ChangeAsync(sql, upstream, sync, changed, places, lagging).ConfigureAwait(false);
        await NoteBadAsync(sql, upstream, batch, plan, knownBad).ConfigureAwait(false);
        await MarkAsync(sql, upstream, batch, plan).ConfigureAwait(false);
        var added = plan.Files.Count(static file => file.Crate is null);
        var written = new Written(added, plan.Files.Count - added, plan.Removed.Count, plan.Equal + batch.Unchanged, plan.Bad.Count, lagging);
        return await AdvanceAsync(sql, sync, batch, written).ConfigureAwait(false) ? written : null;
    }

    private static ValueTask<List<KnownCrate>> KnownAsync(Statements sql, string names) => sql.QueryAsync(
        $"""
        SELECT id, source, canonical, name, upstream_blob, state = 'active', upstream_gone_at IS NOT NULL, place_id FROM crates
        WHERE namespace = '' AND source IN (SELECT 'local' UNION ALL SELECT name FROM upstreams) AND canonical IN {sql.Dialect.TextList("$1")}
        """,
        static row => new KnownCrate(row.Long(0), row.Text(1), row.Text(2), row.Text(3), row.TextOrNull(4), row.Bool(5), row.Bool(6), row.LongOrNull(7)),
        names);

    private static async ValueTask<List<(long Id, long? Place)>> InsertAsync(Statements sql, Registry.Upstreams.Upstream upstream, IReadOnlyList<PlannedFile> files)
    {
        var changed = new List<(long Id, long? Place)>(files.Count);
        for (var start = 0; start < files.Count;)
        {
            var count = files.Count - start >= Chunk ? Chunk : 1;
            var parameters = new object?[1 + (count * 9)];
            parameters[0] = upstream.Name;
            for (var i = 0; i < count; i++) Fill(parameters.AsSpan(1 + (i * 9), 9), files[start + i]);
            changed.AddRange(await sql.QueryAsync(count == 1 ? InsertOne : InsertMany, static row => (row.Long(0), row.LongOrNull(1)), parameters).ConfigureAwait(false));
            start += count;
        }

        return changed;
    }

    private static void Fill(Span<object?> values, PlannedFile planned)
    {
        var (file, shown) = (planned.File, planned.File.File.Default);
        values[0] = planned.Canonical;
        values[1] = file.File.Name;
        values[2] = (long)file.File.Lines.Count;
        values[3] = shown.Version.Text;
        values[4] = DefaultVersion.Rank(shown.Version, shown.Yanked);
        values[5] = file.BlobId;
        values[6] = file.Bytes;
        values[7] = planned.IsServed;
        values[8] = planned.PlaceId;
    }

    // A crate that is there keeps its place, and whether it is served is settled elsewhere.
    private static string InsertSql(int count)
    {
        var rows = new StringBuilder();
        for (var i = 0; i < count; i++)
        {
            var at = 2 + (i * 9);
            if (i > 0) rows.Append(",\n");
            rows.Append(CultureInfo.InvariantCulture, $"($1, ${at}, ${at + 1}, 1, ${at + 2}, ${at + 3}, ${at + 4}, now_us(), ${at + 5}, now_us(), now_us(), ${at + 6}, ${at + 7}, ${at + 8})");
        }

        return
            $"""
            INSERT INTO crates (source, canonical, name, revision, num_versions, default_version, default_rank, last_published_at, upstream_blob,
                created_at, updated_at, upstream_file, served, place_id)
            VALUES {rows}
            ON CONFLICT (namespace, source, canonical) DO UPDATE SET revision = crates.revision + 1, name = excluded.name, state = 'active',
                num_versions = excluded.num_versions, default_version = excluded.default_version, default_rank = excluded.default_rank,
                last_published_at = now_us(), upstream_blob = excluded.upstream_blob, updated_at = now_us(), upstream_file = excluded.upstream_file,
                upstream_gone_at = NULL, deleted_at = NULL
            RETURNING id, place_id
            """;
    }

    private static async ValueTask RemoveAsync(Statements sql, SyncPlan plan)
    {
        if (plan.Removed.Count > 0)
        {
            await sql.ExecuteAsync(
                $"""
                WITH ids (id) AS {sql.Dialect.TextList("$1")}
                UPDATE crates SET state = 'deleted', revision = revision + 1, deleted_at = now_us(), updated_at = now_us(),
                    upstream_gone_at = COALESCE(upstream_gone_at, now_us()), num_versions = 0, default_version = NULL, default_rank = NULL
                WHERE id IN (SELECT CAST(id AS BIGINT) FROM ids)
                """,
                Json(plan.Removed.Select(static crate => crate.Id))).ConfigureAwait(false);
        }

        if (plan.Kept.Count > 0)
        {
            await sql.ExecuteAsync(
                $"WITH ids (id) AS {sql.Dialect.TextList("$1")} UPDATE crates SET upstream_gone_at = now_us() WHERE id IN (SELECT CAST(id AS BIGINT) FROM ids)",
                Json(plan.Kept.Select(static crate => crate.Id))).ConfigureAwait(false);
        }
    }

    /// <summary>One change for the whole batch, and every projection of its crates behind from it on.</summary>
    private static async ValueTask ChangeAsync(
        Statements sql, Registry.Upstreams.Upstream upstream, SyncRow sync, List<(long Id, long? Place)> changed, HashSet<long> places, List<long> lagging)
    {
        if (changed.Count == 0 && lagging.Count == 0) return;
        var data = new JsonObject { ["upstream"] = upstream.Name, ["sync"] = sync.Id, ["crates"] = new JsonArray([.. changed.Select(static crate => (JsonNode)crate.Id)]) };
        if (places.Count > 0)
        {
            await sql.ExecuteAsync(
                $"WITH ids (id) AS {sql.Dialect.TextList("$1")} UPDATE crates SET revision = revision + 1 WHERE id IN (SELECT CAST(id AS BIGINT) FROM ids)", Json(places)).ConfigureAwait(false);
        }

        await Revisions.RecordManyAsync(sql, lagging, "sync", data.ToJsonString()).ConfigureAwait(false);
    }

    private static async ValueTask NoteBadAsync(Statements sql, Registry.Upstreams.Upstream upstream, SyncBatch batch, SyncPlan plan, IReadOnlySet<string> knownBad)
    {
        foreach (var bad in plan.Bad) await UpstreamItems.NoteAsync(sql, upstream.Name, bad).ConfigureAwait(false);
        if (knownBad.Count == 0) return;
        var still = plan.Bad.Select(static bad => bad.Path).ToHashSet(StringComparer.Ordinal);
        foreach (var path in batch.Taken.Select(static file => file.Path).Concat(batch.Gone))
        {
            if (knownBad.Contains(path) && !still.Contains(path)) await UpstreamItems.ResolveAsync(sql, upstream.Name, path).ConfigureAwait(false);
        }
    }

    // With the rows and never before them: what a server need not send again must be here.
    private static async ValueTask MarkAsync(Statements sql, Registry.Upstreams.Upstream upstream, SyncBatch batch, SyncPlan plan)
    {
        var bad = plan.Bad.Select(static one => one.Path).ToHashSet(StringComparer.Ordinal);
        foreach (var file in batch.Taken.Where(file => file.Mark is not null && !bad.Contains(file.Path)))
        {
            await sql.ExecuteAsync(
                "UPDATE upstream_allowed SET etag = $3, modified = $4 WHERE upstream = $1 AND canonical = $2",
                upstream.Name, CanonicalName.Of(file.File.Name).Text, file.Mark!.ETag, file.Mark.Modified).ConfigureAwait(false);
        }
    }

    private static async ValueTask<bool> AdvanceAsync(Statements sql, SyncRow sync, SyncBatch batch, Written written) => await sql.ExecuteAsync(
        """
        UPDATE upstream_syncs SET position = COALESCE($2, position), added = added + $3, changed = changed + $4, removed = removed + $5,
            equal = equal + $6, bad = bad + $7
        WHERE id = $1 AND state = 'running'
        """,
        sync.Id, batch.LastPath, (long)written.Added, (long)written.Changed, (long)written.Removed, (long)written.Equal, (long)written.Bad).ConfigureAwait(false) == 1;

    private static string Json(IEnumerable<string> texts) => new JsonArray([.. texts.Select(static text => (JsonNode)text)]).ToJsonString();

    private static string Json(IEnumerable<long> ids) => new JsonArray([.. ids.Select(static id => (JsonNode)id)]).ToJsonString();
}
