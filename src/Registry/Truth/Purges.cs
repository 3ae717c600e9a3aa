using System.Security.Cryptography;
using Pipeline.Registry.Cdn;
using Pipeline.Registry.Database;
using Pipeline.Registry.Faults;

namespace Pipeline.Registry.Truth;

/// <summary>Whom a purge is about.</summary>
/// <param name="CrateId">The crate.</param>
/// <param name="TraceParent">W3C context of the work that makes it due; null: of none.</param>
public sealed record PurgedCrate(long CrateId, string? TraceParent = null);

/// <summary>
/// Writes what caches must forget (design §3 "Purges are rows"), always in the transaction that makes it so: after the new bytes stand at
/// the origin, before anybody may count the projection as done.
/// </summary>
public sealed class Purges(CdnOptions options)
{
    /// <summary>Whether there is anything to purge at all.</summary>
    public bool Any => options.Targets.Count > 0;

    /// <summary>For a crate's index file. Returns whether a bell is due.</summary>
    public ValueTask<bool> OfIndexFileAsync(Statements sql, PurgedCrate crate, string indexPath, string cause) => PlantedBugs.PurgeForgotten
        ? ValueTask.FromResult(false)
        : WriteAsync(sql, crate, cause, target => PurgePlan.OfIndexFile(target, indexPath, cause));

    /// <summary>For an index file of no crate, which is gone. Returns whether a bell is due.</summary>
    public ValueTask<bool> OfStrayFileAsync(Statements sql, string indexPath) =>
        WriteAsync(sql, null, PurgeCauses.Removed, target => PurgePlan.OfIndexFile(target, indexPath, PurgeCauses.Removed));

    /// <summary>For a crate file. Returns whether a bell is due.</summary>
    public ValueTask<bool> OfCrateFileAsync(Statements sql, PurgedCrate crate, string objectKey) =>
        WriteAsync(sql, crate, PurgeCauses.Deleted, target => PurgePlan.OfCrateFile(target, objectKey));

    /// <summary>
    /// For the crate files that an index file no longer names. The API answers 404 for them already; an object store as origin has them until
    /// they are deleted, so they are purged once more then (<see cref="OfCrateFileAsync"/>). Returns whether a bell is due.
    /// </summary>
    public async ValueTask<bool> OfDeletedFilesAsync(Statements sql, PurgedCrate crate, long revision)
    {
        ArgumentNullException.ThrowIfNull(sql);
        ArgumentNullException.ThrowIfNull(crate);
        if (!options.Targets.Any(static target => target.FileUrls.Count > 0)) return false;
        var keys = await sql.QueryAsync(
            "SELECT DISTINCT object_key FROM deletions WHERE crate_id = $1 AND done_at IS NULL AND revision <= $2", static row => row.Text(0), crate.CrateId, revision).ConfigureAwait(false);
        foreach (var key in keys) await OfCrateFileAsync(sql, crate, key).ConfigureAwait(false);
        return keys.Count > 0;
    }

    /// <summary>
    /// Whether caches may still show a crate's state of before. Bytes go only when none does: what an index line names can be downloaded
    /// (design, law 5). The second purge of a key is not waited for.
    /// </summary>
    public async ValueTask<bool> AnyOpenAsync(Statements sql, long crateId)
    {
        ArgumentNullException.ThrowIfNull(sql);
        if (!Any) return false;
        var open = await sql.QueryAsync(
            "SELECT DISTINCT target FROM purges WHERE crate_id = $1 AND confirmed_at IS NULL AND NOT again", static row => row.Text(0), crateId).ConfigureAwait(false);
        // A target that was taken out of the configuration holds nothing up.
        return options.Targets.Any(target => open.Contains(target.Name));
    }

    /// <summary>
    /// For a file of the index that no crate's revision tells of, when its content is another than the last time it was purged. The content it
    /// was purged for is kept, so that a change whose purge was lost in a crash is still seen. Returns whether a bell is due.
    /// </summary>
    public async ValueTask<bool> OfPlainFileAsync(Statements sql, string path, ReadOnlyMemory<byte> content)
    {
        ArgumentNullException.ThrowIfNull(sql);
        if (!Any) return false;
        var sha256 = Convert.ToHexStringLower(SHA256.HashData(content.Span));
        var changed = await sql.ExecuteAsync(
            "INSERT INTO served_files (path, sha256) VALUES ($1, $2) ON CONFLICT (path) DO UPDATE SET sha256 = excluded.sha256 WHERE served_files.sha256 <> excluded.sha256",
            path, sha256).ConfigureAwait(false);
        return changed > 0 && await WriteAsync(sql, null, PurgeCauses.Changed, target => PurgePlan.OfPlainFile(target, path)).ConfigureAwait(false);
    }

    private async ValueTask<bool> WriteAsync(Statements sql, PurgedCrate? crate, string cause, Func<CdnTarget, IReadOnlyList<(PurgeScope Scope, string Value)>> plan)
    {
        var written = false;
        foreach (var target in options.Targets)
        {
            foreach (var (scope, value) in plan(target))
            {
                written = true;
                if (!await IsServedAsync(sql, target.Name, Text(scope), value, cause).ConfigureAwait(false))
                    await InsertAsync(sql, crate, target.Name, Text(scope), value, cause).ConfigureAwait(false);
            }
        }

        return written;
    }

    /// <summary>
    /// Whether a row that waits serves this purge too. One on its way does not: it may arrive before what changes now. The new bytes stood at
    /// the origin before this transaction began, so a row that is not taken yet, as seen from here, is sent after them.
    /// </summary>
    private static async ValueTask<bool> IsServedAsync(Statements sql, string target, string scope, string value, string cause)
    {
        var waiting = await sql.FirstAsync(
            "SELECT id, cause FROM purges WHERE value = $3 AND target = $1 AND scope = $2 AND confirmed_at IS NULL AND taken_at IS NULL AND NOT again LIMIT 1",
            static row => new Waiting(row.Long(0), row.Text(1)),
            target, scope, value).ConfigureAwait(false);
        if (waiting is null || !PurgeCauses.IsHard(cause) || PurgeCauses.IsHard(waiting.Cause)) return waiting is not null;
        return await sql.ExecuteAsync("UPDATE purges SET cause = $2 WHERE id = $1 AND confirmed_at IS NULL AND taken_at IS NULL", waiting.Id, cause).ConfigureAwait(false) == 1;
    }

    private static ValueTask<int> InsertAsync(Statements sql, PurgedCrate? crate, string target, string scope, string value, string cause) => sql.ExecuteAsync(
        "INSERT INTO purges (target, scope, value, cause, crate_id, trace_parent, due_at, created_at) VALUES ($1, $2, $3, $4, $5, $6, now_us(), now_us())",
        target, scope, value, cause, crate?.CrateId, crate?.TraceParent);

    private static string Text(PurgeScope scope) => scope == PurgeScope.Key ? "key" : "url";

    private sealed record Waiting(long Id, string Cause);
}
