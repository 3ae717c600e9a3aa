using System.Text.Json;
using Pipeline.Registry.Database;

namespace Pipeline.Workers.Records;

/// <summary>
/// What only the database knows of a crate at one revision: enough, with the records of its versions, to make its rows again (design,
/// law 1). Each revision has its own, which is never written over; the highest counts. Fields are only ever added.
/// </summary>
internal sealed record CrateRecord
{
    public int Format { get; init; } = 1;

    public required string Name { get; init; }

    public required long Revision { get; init; }

    /// <summary><c>active</c> or <c>deleted</c>.</summary>
    public required string State { get; init; }

    public required long CreatedAt { get; init; }

    public long? DeletedAt { get; init; }

    /// <summary>When the name of a deleted crate may be used again.</summary>
    public long? AvailableAt { get; init; }

    public long? MaxUploadSize { get; init; }

    public long? MaxFeatures { get; init; }

    public bool ReuseNumbers { get; init; }

    /// <summary>Logins.</summary>
    public required IReadOnlyList<string> Owners { get; init; }

    /// <summary>The versions of which there is anything to tell: all others are in force and not yanked.</summary>
    public required IReadOnlyList<CrateRecordVersion> Versions { get; init; }

    /// <summary>Reads one, at least as new as the revision it names; null: no such crate.</summary>
    public static async ValueTask<CrateRecord?> ReadAsync(Statements sql, long crateId)
    {
        // The revision first: what is read after it is of that revision or a later one, which gets a record of its own.
        var crate = await sql.FirstAsync(
            "SELECT name, revision, state, created_at, deleted_at, available_at, max_upload_size, max_features, reuse_numbers FROM crates WHERE id = $1",
            static row => new CrateRecord
            {
                Name = row.Text(0),
                Revision = row.Long(1),
                State = row.Text(2),
                CreatedAt = row.Long(3),
                DeletedAt = row.LongOrNull(4),
                AvailableAt = row.LongOrNull(5),
                MaxUploadSize = row.LongOrNull(6),
                MaxFeatures = row.LongOrNull(7),
                ReuseNumbers = row.Bool(8),
                Owners = [],
                Versions = [],
            },
            crateId).ConfigureAwait(false);
        if (crate is null) return null;
        var owners = await sql.QueryAsync(
            "SELECT u.login FROM owners o JOIN users u ON u.id = o.user_id WHERE o.crate_id = $1 ORDER BY u.id", static row => row.Text(0), crateId).ConfigureAwait(false);
        var versions = await sql.QueryAsync(
            """
            SELECT num, publish_id, checksum, state = 'deleted', freed, yanked, yank_message FROM versions
            WHERE crate_id = $1 AND (state = 'deleted' OR freed OR yanked) ORDER BY id
            """,
            static row => new CrateRecordVersion(row.Text(0), row.Text(1), row.Text(2), row.Bool(3), row.Bool(4), row.Bool(5), row.TextOrNull(6)),
            crateId).ConfigureAwait(false);
        return crate with { Owners = owners, Versions = versions };
    }

    /// <summary>Its bytes.</summary>
    public byte[] Render() => JsonSerializer.SerializeToUtf8Bytes(this, CrateRecordJson.Default.CrateRecord);

    /// <summary>From its bytes.</summary>
    /// <exception cref="JsonException">They are none.</exception>
    public static CrateRecord Parse(ReadOnlySpan<byte> bytes) =>
        JsonSerializer.Deserialize(bytes, CrateRecordJson.Default.CrateRecord) ?? throw new JsonException("the record is empty");
}

/// <summary>A version that is yanked or deleted.</summary>
/// <param name="Num">Its number, with build metadata.</param>
/// <param name="PublishId">The publish it came with: a number that was freed may have come again.</param>
/// <param name="Checksum">SHA-256 of its bytes.</param>
/// <param name="Deleted">Whether it is deleted.</param>
/// <param name="Freed">Whether its number was given back.</param>
/// <param name="Yanked">Whether it is yanked.</param>
/// <param name="YankMessage">Why, if that was said.</param>
internal sealed record CrateRecordVersion(string Num, string PublishId, string Checksum, bool Deleted, bool Freed, bool Yanked, string? YankMessage);
