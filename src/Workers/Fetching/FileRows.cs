using System.Text.Json;
using System.Text.Json.Nodes;
using Pipeline.Contracts.Index;
using Pipeline.Registry.Database;
using Pipeline.Registry.Failures;
using Pipeline.Registry.Store;
using Pipeline.Registry.Truth;
using Pipeline.Registry.Upstreams;

namespace Pipeline.Workers.Fetching;

/// <summary>The queries of the fetcher. A file that a process takes is nobody else's until it has ended, or has died.</summary>
public sealed class FileRows(ThisProcess process)
{
    /// <summary>Makes a file due again, by the key of its failure.</summary>
    public const string ResetSql =
        "UPDATE upstream_files SET state = 'wanted', attempts = 0, last_error = NULL, next_try_at = NULL, taken_by = NULL WHERE object_key = $1 AND state IN ('wanted', 'refused')";

    private const int ListedCrates = 50;

    // The upstreams whose files are fetched at all; a restored registry is not written to.
    private const string Fetched =
        "EXISTS (SELECT 1 FROM crates c JOIN upstreams u ON u.name = c.source WHERE c.id = f.crate_id AND c.state = 'active' AND u.removed_at IS NULL AND u.mode <> 'metadata')";

    private const string Due =
        """
        f.state = 'wanted' AND (f.next_try_at IS NULL OR f.next_try_at <= now_us())
            AND (f.taken_by IS NULL OR f.taken_until <= now_us() OR NOT EXISTS (SELECT 1 FROM processes p WHERE p.id = f.taken_by))
            AND NOT EXISTS (SELECT 1 FROM registry WHERE read_only)
        """;

    private const string ToList =
        """
        upstream_blob IS NOT NULL AND (files_blob IS NULL OR files_blob <> upstream_blob) AND state = 'active' AND namespace || '' = ''
            AND source IN (SELECT name FROM upstreams WHERE mode = 'full' AND removed_at IS NULL) AND NOT EXISTS (SELECT 1 FROM registry WHERE read_only)
        """;

    /// <summary>Whether there is anything to fetch, or to list, now.</summary>
    public static async ValueTask<bool> AnyDueAsync(Statements sql)
    {
        ArgumentNullException.ThrowIfNull(sql);
        return await sql.LongAsync($"SELECT 1 FROM upstream_files f WHERE {Due} AND {Fetched} LIMIT 1").ConfigureAwait(false) is not null
            || await sql.LongAsync($"SELECT 1 FROM crates WHERE {ToList} LIMIT 1").ConfigureAwait(false) is not null;
    }

    /// <summary>Takes files, in their turn.</summary>
    /// <param name="sql">The open transaction.</param>
    /// <param name="most">The most.</param>
    /// <param name="askedOnly">Only those that somebody asked for.</param>
    /// <param name="held">Upstreams that are left alone now.</param>
    /// <param name="time">For how long they are this process's.</param>
    public async ValueTask<List<WantedFile>> TakeAsync(Statements sql, int most, bool askedOnly, IReadOnlyCollection<string> held, TimeSpan time)
    {
        ArgumentNullException.ThrowIfNull(sql);
        ArgumentNullException.ThrowIfNull(held);
        var keys = await sql.QueryAsync(
            $"""
            WITH due AS MATERIALIZED (
                SELECT object_key FROM upstream_files f WHERE {Due} AND {Fetched} AND f.turn >= $4
                    AND NOT EXISTS (SELECT 1 FROM crates c WHERE c.id = f.crate_id AND c.source IN {sql.Dialect.TextList("$5")})
                ORDER BY f.turn DESC LIMIT $3{sql.Dialect.SkipLocked})
            UPDATE upstream_files SET taken_by = $1, taken_until = now_us() + $2 WHERE object_key IN (SELECT object_key FROM due)
            RETURNING object_key
            """,
            static row => row.Text(0), process.Id, Microseconds.Of(time), (long)most, askedOnly ? UpstreamFiles.AskedTurn : 0L, Json(held)).ConfigureAwait(false);
        if (keys.Count == 0) return [];
        var upstreams = (await UpstreamStore.AllAsync(sql).ConfigureAwait(false)).ToDictionary(static upstream => upstream.Name, StringComparer.Ordinal);
        return await sql.QueryAsync(
            $"""
            SELECT f.object_key, f.crate_id, c.name, f.num, f.checksum, f.attempts, c.source FROM upstream_files f JOIN crates c ON c.id = f.crate_id
            WHERE f.object_key IN {sql.Dialect.TextList("$1")} ORDER BY f.turn DESC
            """,
            row => new WantedFile(row.Text(0), row.Long(1), row.Text(2), row.Text(3), row.Text(4), row.Long(5), upstreams[row.Text(6)]), Json(keys)).ConfigureAwait(false);
    }

    /// <summary>Gives files back untried.</summary>
    public ValueTask<int> ReleaseAsync(Statements sql, IReadOnlyCollection<string> keys)
    {
        ArgumentNullException.ThrowIfNull(sql);
        return sql.ExecuteAsync(
            $"UPDATE upstream_files SET taken_by = NULL, taken_until = NULL WHERE taken_by = $1 AND object_key IN {sql.Dialect.TextList("$2")}", process.Id, Json(keys));
    }

    /// <summary>Notes that a file could not be had, with its failure, in the caller's transaction.</summary>
    /// <param name="sql">The open transaction.</param>
    /// <param name="file">The file.</param>
    /// <param name="kind"><c>reject</c>, <c>transient</c> or <c>fault</c>.</param>
    /// <param name="trouble">Why.</param>
    /// <param name="wait">When it is tried again; null: not by itself.</param>
    public async ValueTask<bool> FailedAsync(Statements sql, WantedFile file, string kind, FileTrouble trouble, TimeSpan? wait)
    {
        ArgumentNullException.ThrowIfNull(sql);
        ArgumentNullException.ThrowIfNull(file);
        ArgumentNullException.ThrowIfNull(trouble);
        var noted = await sql.ExecuteAsync(
            """
            UPDATE upstream_files SET state = $3, attempts = attempts + 1, last_error = $4, next_try_at = CASE WHEN $5 < 0 THEN NULL ELSE now_us() + $5 END, taken_by = NULL, taken_until = NULL
            WHERE object_key = $1 AND taken_by = $2 AND state = 'wanted'
            """,
            file.ObjectKey, process.Id, wait is null ? FileStates.Refused : FileStates.Wanted, trouble.Text, wait is { } time ? Microseconds.Of(time) : -1L).ConfigureAwait(false);
        if (noted == 0) return false;
        await FailureLog.NoteAsync(sql, FetchCrateDefinition.Queue, file.ObjectKey, kind, trouble.Code, $"{file.Name} {file.Num} of {file.Upstream.Name}: {trouble.Text}").ConfigureAwait(false);
        return true;
    }

    /// <summary>
    /// Lists the files of some crates of full mirrors: a row for each line that has none. Of one crate the last line is the newest; of two crates
    /// that does not say which is newer, but times of publication do, where lines have them.
    /// </summary>
    /// <returns>How many crates there were.</returns>
    public static async ValueTask<int> ListAsync(Statements sql)
    {
        ArgumentNullException.ThrowIfNull(sql);
        var crates = await sql.QueryAsync(
            $"SELECT id, source, name, upstream_blob, upstream_file, updated_at FROM crates WHERE {ToList} ORDER BY id LIMIT $1",
            static row => (Id: row.Long(0), Source: row.Text(1), Name: row.Text(2), Blob: row.Text(3), Bytes: row.BytesOrNull(4) ?? [], UpdatedAt: row.Long(5)), (long)ListedCrates).ConfigureAwait(false);
        foreach (var crate in crates)
        {
            // What cannot be read was not taken by the sync either.
            if (MirroredFile.TryRead(crate.Bytes, crate.Name, out var file, out _)) await ListAsync(sql, crate.Id, crate.Source, file, crate.Bytes, crate.UpdatedAt).ConfigureAwait(false);
            await sql.ExecuteAsync("UPDATE crates SET files_blob = $2 WHERE id = $1", crate.Id, crate.Blob).ConfigureAwait(false);
        }

        return crates.Count;
    }

    private static async ValueTask ListAsync(Statements sql, long crateId, string source, MirroredFile file, byte[] bytes, long updatedAt)
    {
        var known = (await sql.QueryAsync(
            "SELECT num, checksum, state FROM upstream_files WHERE crate_id = $1", static row => (Num: row.Text(0), Checksum: row.Text(1), State: row.Text(2)), crateId).ConfigureAwait(false))
            .ToDictionary(static row => (row.Num, row.Checksum), static row => row.State);
        var named = new HashSet<(string, string)>();
        for (var i = file.Lines.Count - 1; i >= 0; i--)
        {
            var line = file.Lines[i];
            if (!named.Add((line.Version.Text, line.Checksum)) || known.ContainsKey((line.Version.Text, line.Checksum))) continue;
            await sql.ExecuteAsync(
                "INSERT INTO upstream_files (crate_id, num, checksum, state, object_key, wanted_at, turn) VALUES ($1, $2, $3, 'wanted', $4, now_us(), $5) ON CONFLICT DO NOTHING",
                crateId, line.Version.Text, line.Checksum, StoreKeys.UpstreamFile(source, file.Name, line.Version.Text, line.Checksum),
                FetchOrder.Turn(PublishedAt(bytes.AsMemory(line.Line)), updatedAt, file.Lines.Count - 1 - i)).ConfigureAwait(false);
        }

        // A file that no line names any more cannot be had, either.
        foreach (var ((num, checksum), _) in known.Where(row => row.Value == FileStates.Wanted && !named.Contains(row.Key)))
            await sql.ExecuteAsync("DELETE FROM upstream_files WHERE crate_id = $1 AND num = $2 AND checksum = $3 AND state = 'wanted'", crateId, num, checksum).ConfigureAwait(false);
    }

    private static string? PublishedAt(ReadOnlyMemory<byte> line)
    {
        using var json = JsonDocument.Parse(line);
        return json.RootElement.TryGetProperty("pubtime", out var time) && time.ValueKind == JsonValueKind.String ? time.GetString() : null;
    }

    private static string Json(IEnumerable<string> texts) => new JsonArray([.. texts.Select(static text => (JsonNode)text)]).ToJsonString();
}
