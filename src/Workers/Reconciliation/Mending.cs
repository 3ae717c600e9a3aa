using Pipeline.Contracts;
using Pipeline.Contracts.Cdn;
using Pipeline.Contracts.Index;
using Pipeline.Contracts.Upkeep;
using Pipeline.Registry.Bus;
using Pipeline.Registry.Database;
using Pipeline.Registry.Git;
using Pipeline.Registry.Store;
using Pipeline.Registry.Truth;
using Pipeline.Workers.GitIndex;
using Pipeline.Workers.Manifests;
using Pipeline.Workers.SparseIndex;

namespace Pipeline.Workers.Reconciliation;

/// <summary>Mends what can be derived from the truth: renders again, takes away what nobody names. It never invents truth and never drops what may be some.</summary>
public sealed class Mending(
    IDatabase database, IObjectStore store, IndexRepository repository, SparseRenderer renderer, GitIndexWriter writer, Purges purges, IDoorbell doorbell)
{
    private static readonly TimeSpan AskAgain = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>Renders a crate's files again where they differ. Lines that the database has lost are kept: then nothing is rendered.</summary>
    /// <returns>Whether anything was done.</returns>
    public async Task<bool> RenderAsync(long crateId, IReadOnlyList<Difference> differences, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(differences);
        var mended = false;
        var place = await PlaceAsync(crateId, cancellationToken).ConfigureAwait(false);
        foreach (var index in differences.Where(static one => one.Store is "git" or "sparse").GroupBy(static one => one.Store, StringComparer.Ordinal))
        {
            if (await KeepsAnyAsync(index, cancellationToken).ConfigureAwait(false)) continue;
            mended = true;
            if (index.Key == "sparse")
            {
                if (await renderer.RenderAgainAsync(place, cancellationToken).ConfigureAwait(false)) await doorbell.RingAsync(new PurgeCdn()).ConfigureAwait(false);
                continue;
            }

            // A writer that is in step with its remote looks no further than its clone: what others changed there it must be told.
            if (repository.HasRemote) await writer.WriteAsync(static (_, _, _) => Task.FromResult<string?>(null), cancellationToken).ConfigureAwait(false);
            await database.WriteAsync(sql => GitAgain.ForgetAsync(sql, place), cancellationToken).ConfigureAwait(false);
            await doorbell.RingAsync(new CommitIndex()).ConfigureAwait(false);
            await writer.DrainAsync(cancellationToken).ConfigureAwait(false);
            await ShownAsync(place, cancellationToken).ConfigureAwait(false);
        }

        return mended;
    }

    /// <summary>Writes the records anew that the store has lost, from the versions' rows.</summary>
    /// <returns>Whether anything was done.</returns>
    public async Task<bool> RecordAsync(long crateId, IReadOnlyList<Difference> differences, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(differences);
        var mended = false;
        foreach (var missing in differences.Where(static one => one.Kind == DifferenceKind.RecordMissing))
        {
            if (await database.ReadAsync(sql => VersionRecord.ReadAsync(sql, crateId, missing.Num!), cancellationToken).ConfigureAwait(false) is not { } record) continue;
            using var content = new MemoryStream(record, writable: false);
            await store.CreateAsync(missing.Object!, content, record.Length, cancellationToken).ConfigureAwait(false);
            mended = true;
        }

        return mended;
    }

    /// <summary>Whether a file or line of a version may be taken away; false: its bytes and record exist, and the database knows nothing of it.</summary>
    public async Task<bool> MayDropAsync(string name, IEnumerable<string> versions, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(versions);
        var canonical = CanonicalName.Of(name).Text;
        foreach (var num in versions)
        {
            var known = await database.ReadAsync(
                sql => sql.LongAsync(
                    "SELECT 1 FROM versions v JOIN crates c ON c.id = v.crate_id WHERE c.namespace = '' AND c.source = 'local' AND c.canonical = $1 AND v.num = $2 LIMIT 1", canonical, num),
                cancellationToken).ConfigureAwait(false) is not null;
            if (known) continue;
            // The file is named in lower case; the bytes lie under the crate's own spelling, of which the database knows nothing.
            var (bytes, record) = (false, false);
            foreach (var spelling in await SpellingsAsync(name, canonical, cancellationToken).ConfigureAwait(false))
            {
                bytes |= await store.IdentifyAsync(StoreKeys.Crate(spelling, num), cancellationToken).ConfigureAwait(false) is not null;
                await foreach (var entry in store.ListAsync($"{StoreKeys.Records}/{spelling}", cancellationToken).ConfigureAwait(false))
                    record |= entry.Key.StartsWith($"{StoreKeys.Records}/{spelling}/{num}.", StringComparison.Ordinal);
            }

            if (!ObjectRules.MayDropLine(known, bytes, record)) return false;
        }

        return true;
    }

    /// <summary>Takes a file out of the sparse index that no crate has.</summary>
    public async Task RemoveSparseAsync(string path, string canonical, CancellationToken cancellationToken)
    {
        await store.DeleteAsync(StoreKeys.SparseFile(path), cancellationToken).ConfigureAwait(false);
        // Its name may have been published between the look and this.
        if (await CrateAsync(canonical, cancellationToken).ConfigureAwait(false) is { } crate)
            await renderer.RenderAgainAsync(await PlaceAsync(crate, cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
        if (await database.WriteAsync(sql => purges.OfStrayFileAsync(sql, path), cancellationToken).ConfigureAwait(false)) await doorbell.RingAsync(new PurgeCdn()).ConfigureAwait(false);
    }

    /// <summary>Takes files out of the git index that no crate has, in one commit each.</summary>
    public Task RemoveFromGitAsync(string path, CancellationToken cancellationToken) => writer.WriteAsync(
        async (session, tip, stop) =>
        {
            // Nobody else writes now: what is no crate's file now is none when it goes.
            var name = path[(path.LastIndexOf('/') + 1)..];
            if (tip is null || await OwnerAsync(path, stop).ConfigureAwait(false) is not null) return null;
            var (_, ids) = await session.LookUpAsync([path], stop).ConfigureAwait(false);
            return ids[0] is null ? null : await session.CommitAsync(tip, [new IndexCommit(CommitMessage.For(name, IndexChange.Deleted), [], [path])], stop).ConfigureAwait(false);
        },
        cancellationToken);

    /// <summary>Removes bytes that nobody names, holding the version's number, so that nobody comes to name them meanwhile. Returns whether they went.</summary>
    public async Task<bool> RemoveBytesAsync(string key, string name, string num, CancellationToken cancellationToken)
    {
        if (!CrateVersion.TryParse(num, out var version)) return false;
        var (canonical, holder) = (CanonicalName.Of(name).Text, $"reconcile:{Guid.CreateVersion7()}");
        var held = await database.WriteAsync(
            async sql =>
            {
                if (await sql.LongAsync("SELECT 1 FROM registry WHERE read_only").ConfigureAwait(false) is not null) return false;
                var reserved = await sql.ExecuteAsync(
                    """
                    INSERT INTO reservations (namespace, source, canonical, num_no_build, holder, fence, reserved_at) VALUES ('', 'local', $1, $2, $3, 1, now_us())
                    ON CONFLICT (namespace, source, canonical, num_no_build) DO NOTHING
                    """,
                    canonical, version.WithoutBuild, holder).ConfigureAwait(false);
                return reserved == 1;
            },
            cancellationToken).ConfigureAwait(false);
        if (!held) return false;
        try
        {
            if (await database.ReadAsync(sql => sql.LongAsync("SELECT 1 FROM versions WHERE object_key = $1 AND state = 'active' LIMIT 1", key), cancellationToken).ConfigureAwait(false) is not null) return false;
            await store.DeleteAsync(key, cancellationToken).ConfigureAwait(false);
            return true;
        }
        finally
        {
            await database.WriteAsync(sql => sql.ExecuteAsync("DELETE FROM reservations WHERE holder = $1", holder), CancellationToken.None).ConfigureAwait(false);
        }
    }

    /// <summary>The crate whose file lies at a path of the indexes; null: there is to be none.</summary>
    public async Task<long?> OwnerAsync(string path, CancellationToken cancellationToken)
    {
        var canonical = CanonicalName.Of(path[(path.LastIndexOf('/') + 1)..]).Text;
        var owner = await database.ReadAsync(
            sql => sql.FirstAsync(
                """
                SELECT c.id, c.name FROM crates c WHERE c.namespace = '' AND c.served AND c.canonical = $1 AND c.state = 'active'
                    AND (length(c.upstream_file) > 0 OR EXISTS (SELECT 1 FROM versions v WHERE v.crate_id = c.id AND v.state = 'active'))
                """,
                static row => (Id: row.Long(0), Name: row.Text(1)), canonical),
            cancellationToken).ConfigureAwait(false);
        return owner.Name is not null && IndexPath.Of(owner.Name) == path ? owner.Id : null;
    }

    /// <summary>The crate of a canonical name, whatever its state; null: the database has none.</summary>
    public async Task<long?> CrateAsync(string canonical, CancellationToken cancellationToken) => await database.ReadAsync(
        sql => sql.LongAsync(
            "SELECT id FROM crates WHERE namespace = '' AND served AND canonical = $1 UNION ALL SELECT id FROM crates WHERE namespace = '' AND source = 'local' AND canonical = $1 LIMIT 1", canonical),
        cancellationToken).ConfigureAwait(false);

    // Whose row holds the name's projections.
    private async Task<long> PlaceAsync(long crateId, CancellationToken cancellationToken) => await database.ReadAsync(
        sql => sql.LongAsync("SELECT COALESCE(place_id, id) FROM crates WHERE id = $1", crateId), cancellationToken).ConfigureAwait(false) ?? crateId;

    private async Task<bool> KeepsAnyAsync(IEnumerable<Difference> differences, CancellationToken cancellationToken)
    {
        foreach (var difference in differences.Where(static one => one.Kind == DifferenceKind.ExtraInIndex))
        {
            var versions = difference.Num is { } num ? [num] : await ShownVersionsAsync(difference, cancellationToken).ConfigureAwait(false);
            if (!await MayDropAsync(difference.Name!, versions, cancellationToken).ConfigureAwait(false)) return true;
        }

        return false;
    }

    private async Task<IReadOnlyList<string>> ShownVersionsAsync(Difference difference, CancellationToken cancellationToken)
    {
        var tip = difference.Store == "git" ? await repository.TipAsync(cancellationToken).ConfigureAwait(false) : null;
        var bytes = difference.Store == "git"
            ? tip is null ? null : await repository.ReadAsync(tip, difference.Object!, cancellationToken).ConfigureAwait(false)
            : await WholeAsync(StoreKeys.SparseFile(difference.Object!), cancellationToken).ConfigureAwait(false);
        return bytes is null ? [] : IndexComparison.Versions(bytes);
    }

    private async Task<byte[]?> WholeAsync(string key, CancellationToken cancellationToken)
    {
        if (await store.OpenAsync(key, cancellationToken).ConfigureAwait(false) is not { } stored) return null;
        await using (stored.ConfigureAwait(false))
        {
            using var bytes = new MemoryStream();
            await stored.Content.CopyToAsync(bytes, cancellationToken).ConfigureAwait(false);
            return bytes.ToArray();
        }
    }

    // Where the bytes of a name may lie: as it is written, and as the database ever wrote it.
    private async Task<List<string>> SpellingsAsync(string name, string canonical, CancellationToken cancellationToken)
    {
        var names = await database.ReadAsync(
            sql => sql.QueryAsync(
                """
                SELECT name FROM crates WHERE namespace = '' AND source = 'local' AND canonical = $1
                UNION SELECT DISTINCT h.name FROM changes h JOIN crates c ON c.id = h.crate_id
                WHERE c.namespace = '' AND c.source = 'local' AND c.canonical = $1 AND h.name IS NOT NULL
                """,
                static row => row.Text(0), canonical),
            cancellationToken).ConfigureAwait(false);
        if (!names.Contains(name)) names.Add(name);
        return names;
    }

    // Another process may be the writer: it has been rung.
    private async Task ShownAsync(long crateId, CancellationToken cancellationToken)
    {
        for (var left = Patience; left > TimeSpan.Zero; left -= AskAgain)
        {
            var behind = await database.ReadAsync(
                sql => sql.LongAsync("SELECT 1 FROM projections WHERE crate_id = $1 AND kind = 'git' AND reached < wanted", crateId), cancellationToken).ConfigureAwait(false);
            if (behind is null) return;
            await Task.Delay(AskAgain, cancellationToken).ConfigureAwait(false);
        }
    }
}
