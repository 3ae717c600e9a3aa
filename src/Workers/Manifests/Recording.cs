using System.Text.Json;
using Pipeline.Contracts;
using Pipeline.Registry.Database;
using Pipeline.Registry.Truth;
using Pipeline.Registry.Upstreams;

namespace Pipeline.Workers.Manifests;

/// <summary>What recording a version did.</summary>
/// <param name="CrateId">The row whose projections show the crate.</param>
/// <param name="Revision">Its revision, which carries the version.</param>
/// <param name="Woken">The publishes that waited for this one; ring them.</param>
public sealed record Recorded(long CrateId, long Revision, IReadOnlyList<string> Woken);

/// <summary>
/// Step 3 of reserve, store, record: one transaction, conditional on the fence, turns the reservation into the version, bumps the
/// crate's revision, appends the change and writes the verdict.
/// </summary>
public static class Recording
{
    /// <summary>Records; null when the reservation or the crate is no longer what it was: reserve again.</summary>
    public static async ValueTask<Recorded?> RecordAsync(Statements sql, VersionFacts version, Reserved.Ours reserved, long tookMicroseconds)
    {
        ArgumentNullException.ThrowIfNull(sql);
        ArgumentNullException.ThrowIfNull(version);
        ArgumentNullException.ThrowIfNull(reserved);
        var publish = version.Publish;
        var held = await sql.ExecuteAsync("DELETE FROM reservations WHERE holder = $1 AND fence = $2", publish.Id, reserved.Fence).ConfigureAwait(false);
        if (held == 0) return null;

        var rank = DefaultVersion.Rank(version.Release.Version, yanked: false);
        var crate = reserved switch
        {
            { CrateId: null } => await InsertCrateAsync(sql, version, rank, reserved.PlaceId).ConfigureAwait(false),
            { Revived: true } => await ReviveCrateAsync(sql, version, rank, reserved.CrateId.Value).ConfigureAwait(false),
            _ => await UpdateCrateAsync(sql, version, rank, reserved.CrateId.Value).ConfigureAwait(false),
        };
        if (crate is not { } now) throw new CrateMovedException();

        // A deleted version's own bytes come back, or an operator allowed others: the old row no longer holds the number.
        if (reserved.TakesAgain)
        {
            await sql.ExecuteAsync(
                "UPDATE versions SET freed = TRUE WHERE crate_id = $1 AND num_no_build = $2 AND state = 'deleted'", now.Id, version.Release.Version.WithoutBuild).ConfigureAwait(false);
        }

        var versionId = await InsertVersionAsync(sql, version, now.Id, now.PublishedAt).ConfigureAwait(false);
        await InsertDependenciesAsync(sql, version, versionId).ConfigureAwait(false);
        // A name that an upstream's crate had first is shown by that crate's projections.
        var (shownBy, revision) = now.PlaceId is { } place ? (place, await Revisions.InPlaceAsync(sql, now.Id, place).ConfigureAwait(false)) : (now.Id, now.Revision);
        await Revisions.RecordAsync(sql, shownBy, revision, publish.Name, "publish", publish.Num, null, publish.ParkedAt).ConfigureAwait(false);
        if (!await AuditAsync(sql, publish, now.Id, versionId).ConfigureAwait(false)) throw new CrateMovedException();
        if (!await Publishes.AcceptAsync(sql, publish.Id, now.Id, versionId, revision, tookMicroseconds).ConfigureAwait(false)) throw new CrateMovedException();
        return new Recorded(shownBy, revision, await Publishes.WakeAsync(sql, publish.Id).ConfigureAwait(false));
    }

    private static async ValueTask<(long Id, long Revision, long PublishedAt, long? PlaceId)?> InsertCrateAsync(Statements sql, VersionFacts version, byte[] rank, long? placeId)
    {
        var (publish, release) = (version.Publish, version.Release);
        var crate = await sql.FirstAsync(
            """
            INSERT INTO crates (canonical, name, revision, description, homepage, documentation, repository, readme, keywords, categories,
                num_versions, default_version, default_rank, last_published_at, created_at, updated_at, served, place_id)
            VALUES ($1, $2, 1, $3, $4, $5, $6, $7, $8, $9, 1, $10, $11, now_us(), now_us(), now_us(), $12, $13)
            ON CONFLICT DO NOTHING RETURNING id, revision, last_published_at, place_id
            """,
            Place,
            CanonicalName.Of(publish.Name).Text, publish.Name, release.Description, release.Homepage, release.Documentation, release.Repository,
            version.Claims.Readme, Json(release.Keywords), Json(release.Categories), publish.Num, rank, placeId is null, placeId).ConfigureAwait(false);
        if (crate is not { } made) return null;
        await AddOwnerAsync(sql, made.Id, publish.UserId).ConfigureAwait(false);
        if (placeId is not null) await ServedNames.SettleAsync(sql, CanonicalName.Of(publish.Name).Text).ConfigureAwait(false);
        return crate;
    }

    private static ValueTask<(long Id, long Revision, long PublishedAt, long? PlaceId)?> UpdateCrateAsync(Statements sql, VersionFacts version, byte[] rank, long id)
    {
        var (publish, release) = (version.Publish, version.Release);
        // Publication times of a crate strictly increase, whatever the clock does: the index file is in that order.
        return sql.FirstAsync(
            """
            UPDATE crates SET revision = revision + 1, description = $2, homepage = $3, documentation = $4, repository = $5, readme = $6,
                keywords = $7, categories = $8, num_versions = num_versions + 1,
                default_version = CASE WHEN default_rank IS NULL OR default_rank < $10 THEN $9 ELSE default_version END,
                default_rank = CASE WHEN default_rank IS NULL OR default_rank < $10 THEN $10 ELSE default_rank END,
                last_published_at = CASE WHEN now_us() > last_published_at THEN now_us() ELSE last_published_at + 1 END, updated_at = now_us()
            WHERE id = $1 AND state = 'active' AND name = $11
            RETURNING id, revision, last_published_at, place_id
            """,
            Place,
            id, release.Description, release.Homepage, release.Documentation, release.Repository, version.Claims.Readme,
            Json(release.Keywords), Json(release.Categories), publish.Num, rank, publish.Name);
    }

    /// <summary>A deleted crate whose name is free again: the same row goes on, with its revisions, a new spelling and a new owner.</summary>
    private static async ValueTask<(long Id, long Revision, long PublishedAt, long? PlaceId)?> ReviveCrateAsync(Statements sql, VersionFacts version, byte[] rank, long id)
    {
        var (publish, release) = (version.Publish, version.Release);
        var crate = await sql.FirstAsync(
            """
            UPDATE crates SET revision = revision + 1, state = 'active', name = $2, description = $3, homepage = $4, documentation = $5,
                repository = $6, readme = $7, keywords = $8, categories = $9, num_versions = 1, default_version = $10, default_rank = $11,
                last_published_at = CASE WHEN now_us() > last_published_at THEN now_us() ELSE last_published_at + 1 END,
                created_at = now_us(), updated_at = now_us(), deleted_at = NULL, available_at = NULL
            WHERE id = $1 AND state = 'deleted' AND (available_at IS NULL OR available_at <= now_us())
            RETURNING id, revision, last_published_at, place_id
            """,
            Place,
            id, publish.Name, release.Description, release.Homepage, release.Documentation, release.Repository, version.Claims.Readme,
            Json(release.Keywords), Json(release.Categories), publish.Num, rank).ConfigureAwait(false);
        if (crate is null) return null;
        await sql.ExecuteAsync("DELETE FROM owners WHERE crate_id = $1", id).ConfigureAwait(false);
        await AddOwnerAsync(sql, id, publish.UserId).ConfigureAwait(false);
        return crate;
    }

    private static ValueTask<int> AddOwnerAsync(Statements sql, long crateId, long userId) => sql.ExecuteAsync(
        "INSERT INTO owners (crate_id, user_id, added_by, added_at) VALUES ($1, $2, $2, now_us())", crateId, userId);

    private static async ValueTask<long> InsertVersionAsync(Statements sql, VersionFacts version, long crateId, long publishedAt)
    {
        var (publish, release, targets) = (version.Publish, version.Release, version.Targets);
        var id = await sql.LongAsync(
            """
            INSERT INTO versions (crate_id, num, num_no_build, sort_key, prerelease, checksum, size, object_key, entry_head, entry_tail,
                dependencies, features, license, links, rust_version, edition, has_lib, lib_name, bin_names,
                description, homepage, documentation, repository, readme, readme_path, keywords, categories,
                published_by, publish_id, published_at, updated_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25,
                $26, $27, $28, $29, $30, $30)
            RETURNING id
            """,
            crateId, publish.Num, release.Version.WithoutBuild, release.Version.ToSortKey(), release.Version.IsPrerelease, publish.Checksum, publish.Size,
            version.ObjectKey, version.EntryHead, version.EntryTail, version.Dependencies, version.Features, release.License, release.Links,
            release.RustVersion, release.Edition, targets.HasLib, targets.LibName, Json(targets.BinNames), release.Description, release.Homepage,
            release.Documentation, release.Repository, version.Claims.Readme, version.Claims.ReadmeFile, Json(release.Keywords), Json(release.Categories),
            publish.UserId, publish.Id, publishedAt).ConfigureAwait(false);
        return id!.Value;
    }

    // False: the publisher is no owner any more. It is asked here, behind the update that waited for the crate's row and so for whoever was
    // changing its owners; that update itself would still see the owners of the moment it began.
    private static async ValueTask<bool> AuditAsync(Statements sql, PublishRow publish, long crateId, long versionId) => await sql.ExecuteAsync(
        """
        INSERT INTO audit (at, action, user_id, token_id, crate_id, version_id)
        SELECT now_us(), 'publish', CAST($1 AS BIGINT), CAST($2 AS BIGINT), CAST($3 AS BIGINT), CAST($4 AS BIGINT)
        WHERE EXISTS (SELECT 1 FROM owners o WHERE o.crate_id = $3 AND o.user_id = $1)
        """,
        publish.UserId, publish.TokenId, crateId, versionId).ConfigureAwait(false) == 1;

    private static async ValueTask InsertDependenciesAsync(Statements sql, VersionFacts version, long versionId)
    {
        if (version.Release.LocalDependencies.Count == 0) return;
        await sql.ExecuteAsync(
            $"INSERT INTO dependencies (version_id, name) SELECT DISTINCT CAST($1 AS BIGINT), t.* FROM {sql.Dialect.TextList("$2")} t",
            versionId, Json(version.Release.LocalDependencies)).ConfigureAwait(false);
    }

    private static (long Id, long Revision, long PublishedAt, long? PlaceId)? Place(Row row) => (row.Long(0), row.Long(1), row.Long(2), row.LongOrNull(3));

    private static string Json(IReadOnlyList<string> values) =>
        values.Count == 0 ? "[]" : JsonSerializer.Serialize(values, VersionJson.Default.IReadOnlyListString);
}

/// <summary>The crate changed between reserve and record: roll back and reserve again. Never leaves the manifest stage.</summary>
internal sealed class CrateMovedException : Exception;
