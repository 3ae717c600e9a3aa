using Pipeline.Contracts;
using Pipeline.Registry.Database;
using Pipeline.Registry.Store;

namespace Pipeline.Registry.Truth;

/// <summary>The states of a publish, in order. The last two are terminal.</summary>
public static class PublishStates
{
    /// <summary>Bytes and row are durable; the archive is not yet checked.</summary>
    public const string Parked = "parked";

    /// <summary>The archive's facts are known; the manifest is not yet decided.</summary>
    public const string Checked = "checked";

    /// <summary>The version exists.</summary>
    public const string Accepted = "accepted";

    /// <summary>Refused; the verdict says why.</summary>
    public const string Rejected = "rejected";

    /// <summary>The stage that an undecided publish waits for.</summary>
    public static string StageOf(string state) => state == Parked ? "validate-tarball" : "read-manifest";
}

/// <summary>A publish as the stages need it.</summary>
/// <param name="Id">UUIDv7 text.</param>
/// <param name="Name">The name as submitted.</param>
/// <param name="Num">The normalised version.</param>
/// <param name="Checksum">SHA-256 of the staged bytes, as received.</param>
/// <param name="Size">How many bytes are staged.</param>
/// <param name="UserId">Who publishes.</param>
/// <param name="Login">The publisher's login.</param>
/// <param name="TokenId">With which token.</param>
/// <param name="Claims">JSON of what the publish JSON claimed.</param>
/// <param name="StagingKey">Where the bytes are.</param>
/// <param name="State">One of <see cref="PublishStates"/>.</param>
/// <param name="Facts">JSON of the archive's facts; null before the tarball stage.</param>
/// <param name="MaxUploadSize">The crate's own limit of a .crate, in bytes; null: the configured one.</param>
/// <param name="MaxFeatures">The crate's own limit of features; null: the configured one.</param>
/// <param name="ParkedAt">When it was kept, microseconds.</param>
/// <param name="TraceParent">W3C trace context of the PUT.</param>
public sealed record PublishRow(
    string Id, string Name, string Num, string Checksum, long Size, long UserId, string Login, long? TokenId,
    string Claims, string StagingKey, string State, string? Facts, long? MaxUploadSize, int? MaxFeatures,
    long ParkedAt, string? TraceParent)
{
    /// <summary>The bytes, when they are parked in the database; null: they are in the store, or no longer wanted.</summary>
    public byte[]? Body { get; init; }

    /// <summary>Where the bytes are, and what they must be.</summary>
    public StagedBytes Staged => new(StagingKey, Size, Contracts.Checksum.Parse(Checksum), Body is null ? null : (ReadOnlyMemory<byte>?)Body);
}

/// <summary>The verdict of a publish.</summary>
/// <param name="State">Accepted or rejected.</param>
/// <param name="Reject">Why it was rejected, or null.</param>
/// <param name="CrateId">The crate, when accepted.</param>
public sealed record Verdict(string State, Reject? Reject, long? CrateId);

/// <summary>Reads and moves <c>publishes</c> rows. Every move is conditional on the state it leaves, so a second run changes nothing.</summary>
public static class Publishes
{
    /// <summary>Puts off a publish that waits in a state after a failure (see <see cref="Bus.Stage"/>); one that went on meanwhile is left alone.</summary>
    public static string DelaySql(string state) =>
        $"UPDATE publishes SET attempts = attempts + 1, last_error = $2, next_try_at = $3 WHERE id = $1 AND state = '{state}' AND decided_at IS NULL";

    /// <summary>Makes a publish that waits in a state due again after a failure (see <see cref="Bus.StageReplay"/>).</summary>
    public static string ResetSql(string state) =>
        $"UPDATE publishes SET attempts = 0, next_try_at = NULL, rung_at = NULL WHERE id = $1 AND state = '{state}' AND decided_at IS NULL";

    private const string SelectSql =
        """
        SELECT p.id, p.name, p.num, p.checksum, p.size, p.user_id, p.token_id, p.claims, p.staging_key, p.state, p.facts, c.max_upload_size, c.max_features,
            p.parked_at, p.trace_parent, u.login, b.body
        FROM publishes p JOIN users u ON u.id = p.user_id LEFT JOIN crates c ON c.namespace = p.namespace AND c.source = 'local' AND c.canonical = p.canonical
        LEFT JOIN staged_bodies b ON b.publish_id = p.id
        """;

    /// <summary>Writes a publish as it is, so that its row is durable with this transaction, whatever it was received with.</summary>
    public static ValueTask<int> KeepAsync(Statements sql, string id)
    {
        ArgumentNullException.ThrowIfNull(sql);
        return sql.ExecuteAsync("UPDATE publishes SET state = state WHERE id = $1", id);
    }

    /// <summary>Reads one, or null.</summary>
    public static ValueTask<PublishRow?> FindAsync(Statements sql, string id)
    {
        ArgumentNullException.ThrowIfNull(sql);
        return sql.FirstAsync($"{SelectSql}\nWHERE p.id = $1", Read, id);
    }

    /// <summary>Reads those of some ids that there are, by id.</summary>
    public static async ValueTask<Dictionary<string, PublishRow>> FindAllAsync(Statements sql, IReadOnlyCollection<string> ids)
    {
        ArgumentNullException.ThrowIfNull(sql);
        var rows = await sql.QueryAsync($"{SelectSql}\nWHERE p.id IN {sql.Dialect.TextList("$1")}", Read, JsonTexts.Write(ids)).ConfigureAwait(false);
        return rows.ToDictionary(static row => row.Id, StringComparer.Ordinal);
    }

    private static PublishRow Read(Row row) => new(
        row.Text(0), row.Text(1), row.Text(2), row.Text(3), row.Long(4), row.Long(5), row.Text(15), row.LongOrNull(6),
        row.Text(7), row.Text(8), row.Text(9), row.TextOrNull(10), row.LongOrNull(11), (int?)row.LongOrNull(12),
        row.Long(13), row.TextOrNull(14))
    {
        Body = row.BytesOrNull(16),
    };

    /// <summary>Writes the archive's facts and hands the publish to the manifest stage. False: it had moved on already.</summary>
    /// <param name="sql">The open transaction.</param>
    /// <param name="id">The publish.</param>
    /// <param name="facts">The facts as JSON.</param>
    /// <param name="tookMicroseconds">How long the stage took.</param>
    /// <param name="rung">Whether its next bell is about to be rung.</param>
    public static async ValueTask<bool> CheckedAsync(Statements sql, string id, string facts, long tookMicroseconds, bool rung) =>
        (await CheckedAsync(sql, [(id, facts, tookMicroseconds)], rung).ConfigureAwait(false)).Contains(id);

    /// <summary>Writes the facts of several archives and hands their publishes to the manifest stage. Returns those that had not moved on already.</summary>
    /// <param name="sql">The open transaction.</param>
    /// <param name="read">Each publish with its facts as JSON and how long the stage took.</param>
    /// <param name="rung">Whether their next bells are about to be rung.</param>
    public static async ValueTask<HashSet<string>> CheckedAsync(Statements sql, IReadOnlyList<(string Id, string Facts, long TookMicroseconds)> read, bool rung)
    {
        ArgumentNullException.ThrowIfNull(sql);
        ArgumentNullException.ThrowIfNull(read);
        var changed = await sql.ExecuteEachAsync(
            """
            UPDATE publishes SET state = 'checked', facts = $2, tarball_started_at = now_us() - $3, tarball_done_at = now_us(),
                attempts = 0, last_error = NULL, next_try_at = NULL, rung_at = CASE WHEN $4 THEN now_us() END
            WHERE id = $1 AND state = 'parked'
            """,
            [.. read.Select(one => new object?[] { one.Id, one.Facts, one.TookMicroseconds, rung })]).ConfigureAwait(false);
        return [.. read.Where((_, i) => changed[i] == 1).Select(static one => one.Id)];
    }

    /// <summary>Writes a refusal. False: it was decided already.</summary>
    public static async ValueTask<bool> RejectAsync(Statements sql, string id, Reject reject, long tookMicroseconds)
    {
        ArgumentNullException.ThrowIfNull(reject);
        var changed = await sql.ExecuteAsync(
            """
            UPDATE publishes SET state = 'rejected', facts = NULL, claims = '{}', manifest_started_at = now_us() - $5, decided_at = now_us(),
                verdict_code = $2, verdict_status = $3, verdict_text = $4, last_error = NULL, next_try_at = NULL
            WHERE id = $1 AND decided_at IS NULL
            """,
            id, reject.Code, (long)reject.Status, reject.Text.Replace('\0', '\uFFFD'), tookMicroseconds).ConfigureAwait(false);
        if (changed != 1) return false;
        await ReleaseAsync(sql, id).ConfigureAwait(false);
        await DropBodyAsync(sql, id).ConfigureAwait(false);
        return true;
    }

    /// <summary>Writes the acceptance. False: it was decided already.</summary>
    public static async ValueTask<bool> AcceptAsync(Statements sql, string id, long crateId, long versionId, long revision, long tookMicroseconds) =>
        await sql.ExecuteAsync(
            """
            UPDATE publishes SET state = 'accepted', facts = NULL, claims = '{}', manifest_started_at = now_us() - $5, decided_at = now_us(),
                crate_id = $2, version_id = $3, revision = $4, last_error = NULL, next_try_at = NULL
            WHERE id = $1 AND decided_at IS NULL
            """,
            id, crateId, versionId, revision, tookMicroseconds).ConfigureAwait(false) == 1;

    /// <summary>Parks the bytes of a small upload, in the transaction of its row.</summary>
    public static ValueTask<int> ParkBodyAsync(Statements sql, string id, byte[] body)
    {
        ArgumentNullException.ThrowIfNull(sql);
        return sql.ExecuteAsync("INSERT INTO staged_bodies (publish_id, body) VALUES ($1, $2)", id, body);
    }

    /// <summary>Drops the parked bytes of a publish: it was refused, or its files are durable.</summary>
    public static ValueTask<int> DropBodyAsync(Statements sql, string id)
    {
        ArgumentNullException.ThrowIfNull(sql);
        return sql.ExecuteAsync("DELETE FROM staged_bodies WHERE publish_id = $1", id);
    }

    /// <summary>Drops the parked bytes of several publishes.</summary>
    public static ValueTask<int> DropBodiesAsync(Statements sql, IEnumerable<string> ids)
    {
        ArgumentNullException.ThrowIfNull(sql);
        return sql.ExecuteAsync($"DELETE FROM staged_bodies WHERE publish_id IN {sql.Dialect.TextList("$1")}", JsonTexts.Write(ids));
    }

    /// <summary>Gives back the reservation a publish holds, if any.</summary>
    public static ValueTask<int> ReleaseAsync(Statements sql, string id) => sql.ExecuteAsync("DELETE FROM reservations WHERE holder = $1", id);

    /// <summary>Queues a publish behind the one that holds its version: it is rung when that one ends.</summary>
    public static ValueTask<int> WaitForAsync(Statements sql, string id, string holder) => sql.ExecuteAsync(
        "UPDATE publishes SET waits_for = $2 WHERE id = $1 AND decided_at IS NULL", id, holder);

    /// <summary>The publishes that waited for one that has ended; they wait no more.</summary>
    public static ValueTask<List<string>> WakeAsync(Statements sql, string ended) => sql.QueryAsync(
        "UPDATE publishes SET waits_for = NULL, rung_at = now_us() WHERE waits_for = $1 RETURNING id", static row => row.Text(0), ended);

    /// <summary>The verdicts of those among some publishes that have one.</summary>
    /// <param name="sql">Where to read.</param>
    /// <param name="ids">A JSON list of ids.</param>
    public static ValueTask<List<(string Id, Verdict Verdict)>> VerdictsAsync(Statements sql, string ids)
    {
        ArgumentNullException.ThrowIfNull(sql);
        return sql.QueryAsync(
            $"SELECT id, state, verdict_code, verdict_status, verdict_text, crate_id FROM publishes WHERE decided_at IS NOT NULL AND id IN {sql.Dialect.TextList("$1")}",
            static row => (row.Text(0), new Verdict(
                row.Text(1),
                row.IsNull(2) ? null : new Reject(row.Text(2), (int)row.Long(3), row.Text(4)),
                row.LongOrNull(5))),
            ids);
    }
}
