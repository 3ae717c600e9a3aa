using System.Text.Json;

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
}
