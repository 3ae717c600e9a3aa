using System.Text.Json;
using Pipeline.Registry.Database;

namespace Pipeline.Workers.Manifests;

/// <summary>
/// The immutable record that lies beside a version's bytes: enough to make its row again when the database is lost (design, law 1).
/// Fields are only ever added.
/// </summary>
internal sealed record VersionRecord
{
    public int Format { get; init; } = 1;

    public required string Name { get; init; }

    public required string Version { get; init; }

    public required string Checksum { get; init; }

    public required long Size { get; init; }

    public required string ObjectKey { get; init; }

    public required string EntryHead { get; init; }

    public required string EntryTail { get; init; }

    public required string Dependencies { get; init; }

    public required string Features { get; init; }

    public string? License { get; init; }

    public string? Links { get; init; }

    public string? RustVersion { get; init; }

    public string? Edition { get; init; }

    public string? Description { get; init; }

    public string? Homepage { get; init; }

    public string? Documentation { get; init; }

    public string? Repository { get; init; }

    public required IReadOnlyList<string> Keywords { get; init; }

    public required IReadOnlyList<string> Categories { get; init; }

    public required bool HasLib { get; init; }

    public string? LibName { get; init; }

    public required IReadOnlyList<string> BinNames { get; init; }

    public string? Readme { get; init; }

    public string? ReadmeFile { get; init; }

    public required long PublishedBy { get; init; }

    /// <summary>The publisher's login: accounts come back by it, ids do not. Null in records of older programs.</summary>
    public string? PublishedByLogin { get; init; }

    public required string PublishId { get; init; }

    /// <summary>When the publish was kept, microseconds; its version was recorded within moments. Null in records of older programs.</summary>
    public long? AcceptedAt { get; init; }

    /// <summary>The record of a version about to be recorded.</summary>
    public static byte[] Render(VersionFacts version)
    {
        var (publish, release, targets, claims) = (version.Publish, version.Release, version.Targets, version.Claims);
        return JsonSerializer.SerializeToUtf8Bytes(
            new VersionRecord
            {
                Name = publish.Name,
                Version = publish.Num,
                Checksum = publish.Checksum,
                Size = publish.Size,
                ObjectKey = version.ObjectKey,
                EntryHead = version.EntryHead,
                EntryTail = version.EntryTail,
                Dependencies = version.Dependencies,
                Features = version.Features,
                License = release.License,
                Links = release.Links,
                RustVersion = release.RustVersion,
                Edition = release.Edition,
                Description = release.Description,
                Homepage = release.Homepage,
                Documentation = release.Documentation,
                Repository = release.Repository,
                Keywords = release.Keywords,
                Categories = release.Categories,
                HasLib = targets.HasLib,
                LibName = targets.LibName,
                BinNames = targets.BinNames,
                Readme = claims.Readme,
                ReadmeFile = claims.ReadmeFile,
                PublishedBy = publish.UserId,
                PublishedByLogin = publish.Login,
                PublishId = publish.Id,
                AcceptedAt = publish.ParkedAt,
            },
            VersionJson.Default.VersionRecord);
    }

    /// <summary>
    /// The record of a version as its row has it, to put one back that the store has lost. When the publish was kept stands nowhere any more:
    /// the time of the version is moments later.
    /// </summary>
    /// <param name="sql">The transaction.</param>
    /// <param name="crateId">The crate.</param>
    /// <param name="num">The version.</param>
    /// <returns>Its bytes; null: no such version is in force.</returns>
    public static async ValueTask<byte[]?> ReadAsync(Statements sql, long crateId, string num)
    {
        var record = await sql.FirstAsync(
            """
            SELECT v.num, v.checksum, v.size, v.object_key, v.entry_head, v.entry_tail, v.dependencies, v.features, v.license, v.links, v.rust_version, v.edition, v.description,
                v.homepage, v.documentation, v.repository, v.keywords, v.categories, v.has_lib, v.lib_name, v.bin_names, v.readme, v.readme_path, v.published_by, u.login,
                v.publish_id, v.published_at
            FROM versions v LEFT JOIN users u ON u.id = v.published_by WHERE v.crate_id = $1 AND v.num = $2 AND v.state = 'active'
            """,
            static row => new VersionRecord
            {
                // As its publish spelt it: the crate may have been made again under another spelling.
                Name = row.Text(3).Split('/')[1],
                Version = row.Text(0),
                Checksum = row.Text(1),
                Size = row.Long(2),
                ObjectKey = row.Text(3),
                EntryHead = row.Text(4),
                EntryTail = row.Text(5),
                Dependencies = row.Text(6),
                Features = row.Text(7),
                License = row.TextOrNull(8),
                Links = row.TextOrNull(9),
                RustVersion = row.TextOrNull(10),
                Edition = row.TextOrNull(11),
                Description = row.TextOrNull(12),
                Homepage = row.TextOrNull(13),
                Documentation = row.TextOrNull(14),
                Repository = row.TextOrNull(15),
                Keywords = JsonTexts.Read(row.Text(16)),
                Categories = JsonTexts.Read(row.Text(17)),
                HasLib = row.Bool(18),
                LibName = row.TextOrNull(19),
                BinNames = JsonTexts.Read(row.Text(20)),
                Readme = row.TextOrNull(21),
                ReadmeFile = row.TextOrNull(22),
                PublishedBy = row.LongOrNull(23) ?? 0,
                PublishedByLogin = row.TextOrNull(24),
                PublishId = row.Text(25),
                AcceptedAt = row.Long(26),
            },
            crateId, num).ConfigureAwait(false);
        return record is null ? null : JsonSerializer.SerializeToUtf8Bytes(record, VersionJson.Default.VersionRecord);
    }
}
