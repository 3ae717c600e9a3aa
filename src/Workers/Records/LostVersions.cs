using Pipeline.Contracts;
using Pipeline.Registry.Database;
using Pipeline.Registry.Store;

namespace Pipeline.Workers.Records;

/// <summary>A version's record, by its key.</summary>
/// <param name="Name">The crate as the publish spelt it.</param>
/// <param name="Num">The version.</param>
/// <param name="PublishId">The publish that was accepted.</param>
public sealed record RecordedVersion(string Name, string Num, string PublishId);

/// <summary>Versions that were accepted, as their records say, and that the database does not know: an older backup of it was restored.</summary>
public sealed class LostVersions(IDatabase database, IObjectStore store)
{
    /// <summary>Whether a version is one of them.</summary>
    public async Task<bool> HasAsync(string name, string num, CancellationToken cancellationToken)
    {
        var prefix = $"{StoreKeys.Records}/{name}/{num}.";
        await foreach (var entry in store.ListAsync($"{StoreKeys.Records}/{name}", cancellationToken).ConfigureAwait(false))
        {
            if (entry.Key.StartsWith(prefix, StringComparison.Ordinal) && ReadKey(entry.Key) is { } record && record.Num == num && !await IsKnownAsync(record, cancellationToken).ConfigureAwait(false)) return true;
        }

        return false;
    }

    /// <summary>Whether the database knows a record's publish, or the number, whoever's: at most one publish can have got it.</summary>
    public async Task<bool> IsKnownAsync(RecordedVersion record, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(record);
        return await database.ReadAsync(
            sql => sql.LongAsync(
                """
                SELECT 1 WHERE EXISTS (SELECT 1 FROM publishes WHERE id = $3)
                    OR EXISTS (SELECT 1 FROM versions v JOIN crates c ON c.id = v.crate_id WHERE c.namespace = '' AND c.source = 'local' AND c.canonical = $1 AND v.num = $2)
                """,
                CanonicalName.Of(record.Name).Text, record.Num, record.PublishId),
            cancellationToken).ConfigureAwait(false) is not null;
    }

    /// <summary>Reads <c>records/{name}/{version}.{publish}.json</c>; null: another kind of record.</summary>
    public static RecordedVersion? ReadKey(string key)
    {
        ArgumentNullException.ThrowIfNull(key);
        const string ending = ".json";
        if (key.Split('/') is not [_, var name, var file] || !file.EndsWith(ending, StringComparison.Ordinal)) return null;
        var rest = file[..^ending.Length];
        var dot = rest.LastIndexOf('.');
        return dot <= 0 || !CrateVersion.TryParse(rest[..dot], out _) ? null : new RecordedVersion(name, rest[..dot], rest[(dot + 1)..]);
    }
}
