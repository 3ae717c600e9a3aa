using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text.Json;
using Pipeline.Contracts;
using Pipeline.Registry.Database;
using Pipeline.Registry.Identity;
using Pipeline.Registry.Store;
using Pipeline.Registry.Truth;
using Pipeline.Workers.Manifests;
using Pipeline.Workers.Records;

namespace Pipeline.Workers.Recovery;

/// <summary>
/// Makes the database's truth again from the records, the bytes and the sparse index: of a database that is new, or of one that was restored
/// from an older backup. Nothing else may run on it meanwhile. What it is stopped in, it does when it is run again. Afterwards the registry
/// has a new epoch and is read-only until a reconcile run finds nothing (<see cref="ReadOnlyState"/>).
/// </summary>
public sealed class RegistryRecovery(IDatabase database, IObjectStore store)
{
    private const int AtOnce = 64;
    private const int MostRecordBytes = 16 << 20;

    /// <summary>Runs.</summary>
    /// <param name="dryRun">Only says what it would do.</param>
    /// <param name="progress">Told how many crates are done, of how many.</param>
    /// <param name="cancellationToken">Stops it between two crates.</param>
    public async Task<RecoveryReport> RunAsync(bool dryRun, Action<long, long>? progress = null, CancellationToken cancellationToken = default)
    {
        var report = new RecoveryReport();
        // Read-only first: whatever happens to this run, nobody publishes into half a truth.
        if (!dryRun) report.Epoch = await database.WriteAsync(BeginAsync, cancellationToken).ConfigureAwait(false);
        var contents = await StoreContents.ListAsync(store, cancellationToken).ConfigureAwait(false);
        var stored = await database.ReadAsync(
            static sql => sql.QueryAsync("SELECT canonical FROM crates WHERE namespace = '' AND source = 'local'", static row => row.Text(0)), cancellationToken).ConfigureAwait(false);
        var names = contents.Names.Union(stored, StringComparer.Ordinal).Order(StringComparer.Ordinal).ToList();
        // Mirrored crates share the index, and have nothing else here: their upstream brings them back.
        var mirrored = await database.ReadAsync(
            static sql => sql.QueryAsync("SELECT canonical FROM crates WHERE source <> 'local'", static row => row.Text(0)), cancellationToken).ConfigureAwait(false);
        names.RemoveAll(mirrored.Where(name => !contents.Of(name).HasRecords).Except(stored, StringComparer.Ordinal).ToHashSet(StringComparer.Ordinal).Contains);
        var undecided = await UndecidedAsync(cancellationToken).ConfigureAwait(false);
        foreach (var page in names.Chunk(AtOnce))
        {
            var evidence = new ConcurrentDictionary<string, CrateEvidence>(StringComparer.Ordinal);
            await Parallel.ForEachAsync(
                page,
                new ParallelOptions { MaxDegreeOfParallelism = AtOnce / 4, CancellationToken = cancellationToken },
                async (name, stop) => evidence[name] = await ReadAsync(name, contents.Of(name), stop).ConfigureAwait(false)).ConfigureAwait(false);
            foreach (var name in page) await DoAsync(evidence[name], report, dryRun).ConfigureAwait(false);
            progress?.Invoke(report.Crates, names.Count);
        }

        if (!dryRun) await EndAsync(undecided, report, cancellationToken).ConfigureAwait(false);
        return report;
    }

    private static async ValueTask<string> BeginAsync(Statements sql)
    {
        // Who held these is dead, and what was reached may not be: every projection is rendered and compared again.
        foreach (var table in new[] { "claims", "reservations", "leases", "processes", "schedule_slots" }) await sql.ExecuteAsync($"DELETE FROM {table}").ConfigureAwait(false);
        return await ReadOnlyState.BeginEpochAsync(sql, "recover").ConfigureAwait(false);
    }

    private async Task DoAsync(CrateEvidence evidence, RecoveryReport report, bool dryRun)
    {
        var plan = RecoveryRules.Decide(evidence);
        report.Crates++;
        foreach (var note in plan.Notes) report.Add(note);
        // A crate of which nothing but unfinished publishes is left is none.
        if (!plan.ChangesAnything || (evidence.Stored is null && plan.New.Count == 0)) return;
        report.CratesRestored++;
        report.VersionsRestored += plan.New.Count;
        report.VersionsChanged += plan.Changed.Count;
        if (!dryRun) report.UsersRestored += await database.WriteAsync(sql => RecoveredRows.WriteAsync(sql, evidence, plan)).ConfigureAwait(false);
    }

    private async Task<CrateEvidence> ReadAsync(string canonical, StoreContents.Crate keys, CancellationToken cancellationToken)
    {
        var records = new List<VersionRecord>();
        foreach (var key in keys.VersionRecords)
        {
            records.Add(JsonSerializer.Deserialize(await BytesAsync(key, cancellationToken).ConfigureAwait(false), VersionJson.Default.VersionRecord) ?? throw new JsonException($"{key} is empty"));
        }

        // The number stands in the key with leading zeros, so the last is the highest; a crate made again in another spelling has another folder.
        var newest = keys.CrateRecords.MaxBy(static key => key[key.LastIndexOf('/')..], StringComparer.Ordinal);
        var record = newest is null ? null : CrateRecord.Parse(await BytesAsync(newest, cancellationToken).ConfigureAwait(false));
        var lines = new List<IndexedVersion>();
        foreach (var key in keys.IndexFiles) lines.AddRange(IndexLineReader.Read(await BytesAsync(key, cancellationToken).ConfigureAwait(false)));
        var ids = JsonTexts.Write(records.Select(static one => one.PublishId));
        var (stored, rejected) = await database.ReadAsync(
            async sql => (
                await RecoveredRows.ReadAsync(sql, canonical).ConfigureAwait(false),
                await sql.QueryAsync($"SELECT id FROM publishes WHERE state = 'rejected' AND id IN {sql.Dialect.TextList("$1")}", static row => row.Text(0), ids).ConfigureAwait(false)),
            cancellationToken).ConfigureAwait(false);
        var files = keys.Files.ToDictionary(static file => file.Key, static file => new FoundBytes(file.Value, null), StringComparer.Ordinal);
        var evidence = new CrateEvidence(stored, records, record, lines, files, rejected.ToHashSet(StringComparer.Ordinal));
        foreach (var key in RecoveryRules.Unproven(evidence).ToList())
        {
            if (files.TryGetValue(key, out var bytes)) files[key] = bytes with { Checksum = await HashAsync(key, cancellationToken).ConfigureAwait(false) };
        }

        return evidence;
    }

    private async Task<byte[]> BytesAsync(string key, CancellationToken cancellationToken)
    {
        var found = await store.OpenAsync(key, cancellationToken).ConfigureAwait(false) ?? throw new InvalidDataException($"{key} went away while it was read: does a server run?");
        await using (found.ConfigureAwait(false))
        {
            if (found.Length > MostRecordBytes) throw new InvalidDataException($"{key} has {found.Length} bytes, which no record has");
            var bytes = new byte[found.Length];
            await found.Content.ReadExactlyAsync(bytes, cancellationToken).ConfigureAwait(false);
            return bytes;
        }
    }

    private async Task<string?> HashAsync(string key, CancellationToken cancellationToken)
    {
        var found = await store.OpenAsync(key, cancellationToken).ConfigureAwait(false);
        if (found is null) return null;
        await using (found.ConfigureAwait(false))
            return Checksum.FromBytes(await SHA256.HashDataAsync(found.Content, cancellationToken).ConfigureAwait(false)).ToString();
    }

    private ValueTask<List<(string Id, string StagingKey)>> UndecidedAsync(CancellationToken cancellationToken) => database.ReadAsync(
        static sql => sql.QueryAsync("SELECT id, staging_key FROM publishes WHERE decided_at IS NULL AND state IN ('parked', 'checked') ORDER BY id", static row => (row.Text(0), row.Text(1))), cancellationToken);

    /// <summary>Publishes under way at the time of the backup: accepted since, or still to be decided, or decided otherwise and their bytes gone.</summary>
    private async Task EndAsync(List<(string Id, string StagingKey)> undecided, RecoveryReport report, CancellationToken cancellationToken)
    {
        foreach (var (id, staged) in undecided)
        {
            if (await database.ReadAsync(sql => sql.LongAsync("SELECT 1 FROM publishes WHERE id = $1 AND decided_at IS NOT NULL", id), cancellationToken).ConfigureAwait(false) is not null)
            {
                report.PublishesAccepted++;
                continue;
            }

            if (await store.IdentifyAsync(staged, cancellationToken).ConfigureAwait(false) is not null) continue;
            var reject = new Reject(RejectCodes.Expired, 503, "the registry was restored from a backup and this upload is not in it any more; publish it again");
            if (await database.WriteAsync(sql => Publishes.RejectAsync(sql, id, reject, 0), cancellationToken).ConfigureAwait(false)) report.PublishesGivenUp++;
        }

        await database.WriteAsync(
            async sql =>
            {
                await sql.ExecuteAsync("UPDATE publishes SET rung_at = NULL, waits_for = NULL WHERE decided_at IS NULL").ConfigureAwait(false);
                await sql.ExecuteAsync(
                    "UPDATE projections SET reached = 0, rung_at = NULL, next_try_at = NULL, attempts = 0, behind_since = COALESCE(behind_since, now_us())").ConfigureAwait(false);
                await Audit.WriteAsync(sql, "recover", Actor.System, detail: $"{report.VersionsRestored} versions of {report.CratesRestored} crates; epoch {report.Epoch}").ConfigureAwait(false);
                return 0;
            },
            cancellationToken).ConfigureAwait(false);
    }
}
