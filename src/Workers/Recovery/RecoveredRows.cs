using Pipeline.Contracts;
using Pipeline.Registry.Database;
using Pipeline.Registry.Identity;
using Pipeline.Registry.Store;
using Pipeline.Registry.Truth;

namespace Pipeline.Workers.Recovery;

/// <summary>Carries out one crate's plan in the caller's transaction: rows, changes for the feed of the new epoch, and projections that are all behind.</summary>
internal static class RecoveredRows
{
    /// <summary>Reads what the database has of a crate; null: nothing.</summary>
    public static async ValueTask<StoredCrate?> ReadAsync(Statements sql, string canonical)
    {
        var crate = await sql.FirstAsync(
            """
            SELECT c.id, c.name, c.revision, c.state = 'deleted', EXISTS (SELECT 1 FROM projections p WHERE p.crate_id = c.id AND p.kind = 'sparse' AND p.reached >= c.revision), c.last_published_at
            FROM crates c WHERE c.namespace = '' AND c.source = 'local' AND c.canonical = $1
            """,
            static row => new StoredCrate(row.Long(0), row.Text(1), row.Long(2), row.Bool(3), row.Bool(4), row.Long(5), []),
            canonical).ConfigureAwait(false);
        if (crate is null) return null;
        return crate with
        {
            Versions = await sql.QueryAsync(
                "SELECT id, num, publish_id, checksum, object_key, state = 'deleted', freed, yanked, yank_message FROM versions WHERE crate_id = $1 ORDER BY published_at, id",
                static row => new StoredVersion(row.Long(0), row.Text(1), row.Text(2), row.Text(3), row.Text(4), row.Bool(5), row.Bool(6), row.Bool(7), row.TextOrNull(8)),
                crate.Id).ConfigureAwait(false),
        };
    }

    /// <summary>Writes.</summary>
    /// <returns>How many accounts it made.</returns>
    public static async ValueTask<long> WriteAsync(Statements sql, CrateEvidence evidence, CratePlan plan)
    {
        var users = new Accounts(sql);
        var revision = plan.UsedRevision;
        var id = evidence.Stored?.Id ?? await InsertCrateAsync(sql, evidence, plan).ConfigureAwait(false);
        var first = (long?)null;

        // What is there gives up its number before anything takes it.
        foreach (var (version, state) in plan.Changed.OrderByDescending(static one => one.State.Freed))
        {
            await sql.ExecuteAsync(
                "UPDATE versions SET state = CASE WHEN $2 THEN 'deleted' ELSE 'active' END, freed = $3, yanked = $4, yank_message = $5, updated_at = now_us() WHERE id = $1",
                version.Id, state.Deleted, state.Freed, state.Yanked, state.YankMessage).ConfigureAwait(false);
            var kind = state.Deleted != version.Deleted ? "delete" : state.Yanked == version.Yanked ? null : state.Yanked ? "yank" : "unyank";
            if (kind is not null) await ChangeAsync(kind, version.Num, null).ConfigureAwait(false);
        }

        foreach (var version in plan.New)
        {
            await InsertVersionAsync(sql, users, id, version).ConfigureAwait(false);
            if (version.State.Deleted) continue;
            await ChangeAsync("publish", version.Num, version.PublishedAt).ConfigureAwait(false);
            if (version.State.Yanked) await ChangeAsync("yank", version.Num, null).ConfigureAwait(false);
        }

        if (plan.Owners is { } owners)
        {
            await sql.ExecuteAsync("DELETE FROM owners WHERE crate_id = $1", id).ConfigureAwait(false);
            foreach (var login in plan.Deleted ? [] : owners)
            {
                await sql.ExecuteAsync(
                    "INSERT INTO owners (crate_id, user_id, added_at) VALUES ($1, $2, now_us()) ON CONFLICT (crate_id, user_id) DO NOTHING", id, await users.IdAsync(login).ConfigureAwait(false)).ConfigureAwait(false);
            }
        }

        // Also when nothing but columns changed: the revision that a record carries is used up.
        if (first is null || plan.Deleted) await ChangeAsync(plan.Deleted ? "delete" : "owners", null, null).ConfigureAwait(false);
        await UpdateCrateAsync(sql, id, plan, revision).ConfigureAwait(false);
        await ProjectAsync(sql, id, revision, first!.Value).ConfigureAwait(false);
        await DeleteBytesAsync(sql, id, revision, evidence.Files).ConfigureAwait(false);
        return users.Made;

        async ValueTask ChangeAsync(string kind, string? num, long? at)
        {
            var change = await sql.LongAsync(
                "INSERT INTO changes (at, kind, crate_id, revision, name, num) VALUES (COALESCE($1, now_us()), $2, $3, $4, $5, $6) RETURNING id",
                at, kind, id, ++revision, NameOf(evidence, plan), num).ConfigureAwait(false);
            first ??= change;
        }
    }

    /// <summary>The name as the newest version spells it: a crate that was made again may be spelled anew.</summary>
    private static string NameOf(CrateEvidence evidence, CratePlan plan) =>
        plan.New.LastOrDefault(static one => !one.State.Deleted)?.Name ?? plan.Told?.Name ?? evidence.Stored?.Name ?? plan.New[^1].Name;

    private static async ValueTask<long> InsertCrateAsync(Statements sql, CrateEvidence evidence, CratePlan plan)
    {
        var name = NameOf(evidence, plan);
        return (await sql.LongAsync(
            "INSERT INTO crates (canonical, name, revision, last_published_at, created_at, updated_at) VALUES ($1, $2, 0, 0, 0, 0) RETURNING id",
            CanonicalName.Of(name).Text, name).ConfigureAwait(false))!.Value;
    }

    private static async ValueTask InsertVersionAsync(Statements sql, Accounts users, long crateId, NewVersion version)
    {
        var (record, number) = (version.Record, CrateVersion.Parse(version.Num));
        var line = record is null ? IndexLineReader.Columns(version.Line!) : default;
        var (head, tail) = record is null ? IndexLineReader.Split(version.Line!) : (record.EntryHead, record.EntryTail);
        var dependencies = record?.Dependencies ?? line.Dependencies;
        var publisher = record is null ? (long?)null : await users.IdAsync(RecoveryRules.LoginOf(record)).ConfigureAwait(false);
        var state = version.State;
        var id = await sql.LongAsync(
            """
            INSERT INTO versions (crate_id, num, num_no_build, sort_key, prerelease, state, freed, yanked, yank_message, checksum, size, object_key, entry_head, entry_tail,
                dependencies, features, license, links, rust_version, edition, has_lib, lib_name, bin_names, description, homepage, documentation, repository, readme,
                readme_path, keywords, categories, published_by, publish_id, published_at, updated_at)
            VALUES ($1, $2, $3, $4, $5, CASE WHEN $6 THEN 'deleted' ELSE 'active' END, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23,
                $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, now_us())
            RETURNING id
            """,
            crateId, number.Text, number.WithoutBuild, number.ToSortKey(), number.IsPrerelease, state.Deleted, state.Freed, state.Yanked, state.YankMessage,
            version.Checksum, record?.Size ?? 0L, record?.ObjectKey ?? StoreKeys.Crate(version.Name, version.Num), head, tail,
            dependencies, record?.Features ?? line.Features, record?.License, record is null ? line.Links : record.Links,
            record is null ? line.RustVersion : record.RustVersion, record?.Edition, record?.HasLib ?? true, record?.LibName, Json(record?.BinNames),
            record?.Description, record?.Homepage, record?.Documentation, record?.Repository, record?.Readme, record?.ReadmeFile, Json(record?.Keywords), Json(record?.Categories),
            publisher, record?.PublishId ?? "recovered", version.PublishedAt).ConfigureAwait(false);
        foreach (var name in IndexLineReader.LocalNames(dependencies))
            await sql.ExecuteAsync("INSERT INTO dependencies (version_id, name) VALUES ($1, $2)", id, name).ConfigureAwait(false);
        if (record is null) return;
        // A publish that the backup had under way, and that was accepted after it.
        await sql.ExecuteAsync(
            "UPDATE publishes SET state = 'accepted', facts = NULL, decided_at = now_us(), crate_id = $2, version_id = $3, last_error = NULL, next_try_at = NULL WHERE id = $1 AND decided_at IS NULL",
            record.PublishId, crateId, id).ConfigureAwait(false);
    }

    private static async ValueTask UpdateCrateAsync(Statements sql, long id, CratePlan plan, long revision)
    {
        var newest = plan.New.LastOrDefault(static one => one.Record is not null)?.Record;
        if (newest is not null)
        {
            await sql.ExecuteAsync(
                """
                UPDATE crates SET name = $2, description = $3, homepage = $4, documentation = $5, repository = $6, readme = $7, keywords = $8, categories = $9 WHERE id = $1
                """,
                id, newest.Name, newest.Description, newest.Homepage, newest.Documentation, newest.Repository, newest.Readme, Json(newest.Keywords), Json(newest.Categories)).ConfigureAwait(false);
        }

        if (plan.Told is { } told)
        {
            await sql.ExecuteAsync(
                "UPDATE crates SET max_upload_size = $2, max_features = $3, reuse_numbers = $4, deleted_at = $5, available_at = $6, created_at = $7 WHERE id = $1",
                id, told.MaxUploadSize, told.MaxFeatures, told.ReuseNumbers, told.DeletedAt, told.AvailableAt, told.CreatedAt).ConfigureAwait(false);
        }

        await sql.ExecuteAsync(
            """
            UPDATE crates SET revision = $2, updated_at = now_us(), state = CASE WHEN $3 THEN 'deleted' ELSE 'active' END,
                num_versions = (SELECT COUNT(*) FROM versions v WHERE v.crate_id = $1 AND v.state = 'active'),
                last_published_at = COALESCE((SELECT MAX(v.published_at) FROM versions v WHERE v.crate_id = $1), last_published_at)
            WHERE id = $1
            """,
            id, revision, plan.Deleted).ConfigureAwait(false);
        if (!plan.Deleted)
        {
            await sql.ExecuteAsync(
                """
                UPDATE crates SET deleted_at = NULL, available_at = NULL,
                    created_at = CASE WHEN $2 OR created_at = 0 THEN COALESCE((SELECT MIN(v.published_at) FROM versions v WHERE v.crate_id = $1 AND (v.state = 'active' OR NOT $2)), created_at) ELSE created_at END
                WHERE id = $1
                """,
                id, plan.Revived).ConfigureAwait(false);
        }

        await DefaultVersion.RecomputeAsync(sql, id).ConfigureAwait(false);
    }

    private static async ValueTask ProjectAsync(Statements sql, long id, long revision, long change)
    {
        foreach (var kind in ProjectionKinds.All)
        {
            await sql.ExecuteAsync(
                """
                INSERT INTO projections (crate_id, kind, target, wanted, first_change, behind_since) VALUES ($1, $2, '', $3, $4, now_us())
                ON CONFLICT (crate_id, kind, target) DO UPDATE SET wanted = excluded.wanted
                """,
                id, kind, revision, change).ConfigureAwait(false);
        }
    }

    /// <summary>Bytes of deleted versions that the disaster kept from being removed.</summary>
    private static async ValueTask DeleteBytesAsync(Statements sql, long id, long revision, IReadOnlyDictionary<string, FoundBytes> files)
    {
        var deleted = await sql.QueryAsync(
            """
            SELECT v.id, v.object_key FROM versions v WHERE v.crate_id = $1 AND v.state = 'deleted'
                AND NOT EXISTS (SELECT 1 FROM versions o WHERE o.object_key = v.object_key AND o.state = 'active')
                AND NOT EXISTS (SELECT 1 FROM deletions d WHERE d.version_id = v.id AND d.done_at IS NULL)
            """,
            static row => (Id: row.Long(0), Key: row.Text(1)), id).ConfigureAwait(false);
        foreach (var version in deleted.Where(version => files.ContainsKey(version.Key)))
        {
            await sql.ExecuteAsync(
                "INSERT INTO deletions (crate_id, version_id, revision, object_key) VALUES ($1, $2, $3, $4)", id, version.Id, revision, version.Key).ConfigureAwait(false);
        }
    }

    private static string Json(IReadOnlyList<string>? values) => JsonTexts.Write(values ?? []);

    /// <summary>Accounts by login. Those that are missing are made: without address and without tokens, which nothing but the lost database knew.</summary>
    private sealed class Accounts(Statements sql)
    {
        public long Made { get; private set; }

        public async ValueTask<long> IdAsync(string login)
        {
            if (await UserStore.IdAsync(sql, login).ConfigureAwait(false) is { } known) return known;
            Made++;
            return (await UserStore.AddAsync(sql, new NewUser(login), Actor.System).ConfigureAwait(false))!.Id;
        }
    }
}
