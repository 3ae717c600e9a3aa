using System.Security.Cryptography;
using Pipeline.Contracts;
using Pipeline.Contracts.Index;
using Pipeline.Contracts.Upkeep;
using Pipeline.Registry.Database;
using Pipeline.Registry.Git;
using Pipeline.Registry.Store;
using Pipeline.Registry.Truth;

namespace Pipeline.Workers.Reconciliation;

/// <summary>What one look at a crate showed.</summary>
/// <param name="IsAtRest">Whether nothing was on its way before, after and between. If not, the differences mean nothing yet.</param>
/// <param name="Objects">How many objects were looked at.</param>
/// <param name="Differences">What differs.</param>
public sealed record CrateLook(bool IsAtRest, long Objects, IReadOnlyList<Difference> Differences);

/// <summary>Looks at a crate in the database, both indexes and the object store.</summary>
public sealed class CrateLooks(IDatabase database, IObjectStore store, IndexRepository repository)
{
    private const string VersionsSql = "SELECT id, num, checksum, size, object_key, publish_id FROM versions WHERE crate_id = $1 AND state = 'active' ORDER BY id";

    /// <summary>Looks at one crate, at all its versions' objects.</summary>
    /// <param name="crateId">The crate.</param>
    /// <param name="inIndexes">Whether its index files are looked at too.</param>
    /// <param name="hashed">Which versions' bytes are read, by the version's row.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task<CrateLook> LookAsync(long crateId, bool inIndexes, Func<long, bool> hashed, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(hashed);
        var before = await StateAsync(crateId, cancellationToken).ConfigureAwait(false);
        if (before is not { IsAtRest: true }) return new CrateLook(false, 0, []);
        var file = await database.ReadAsync(sql => IndexLines.ReadAsync(sql, crateId), cancellationToken).ConfigureAwait(false);
        if (file is null) return new CrateLook(true, 0, []);

        var path = IndexPath.Of(file.Name);
        var differences = new List<Difference>();
        if (inIndexes && before.Projections > 0)
        {
            // The tip is read behind the state: what was committed by then is in it, what is committed later shows in the state.
            differences.AddRange(InIndex("git", crateId, file, path, await InGitAsync(path, cancellationToken).ConfigureAwait(false)));
            differences.AddRange(InIndex("sparse", crateId, file, path, await ReadAsync(StoreKeys.SparseFile(path), cancellationToken).ConfigureAwait(false)));
        }

        var objects = await ObjectsAsync(crateId, file.Name, hashed, differences, cancellationToken).ConfigureAwait(false);
        var after = await StateAsync(crateId, cancellationToken).ConfigureAwait(false);
        return new CrateLook(after == before, objects + 2, differences);
    }

    /// <summary>Reads a whole object; null: there is none.</summary>
    public async Task<byte[]?> ReadAsync(string key, CancellationToken cancellationToken)
    {
        if (await store.OpenAsync(key, cancellationToken).ConfigureAwait(false) is not { } stored) return null;
        await using (stored.ConfigureAwait(false))
        {
            using var bytes = new MemoryStream((int)Math.Min(stored.Length, int.MaxValue));
            await stored.Content.CopyToAsync(bytes, cancellationToken).ConfigureAwait(false);
            return bytes.ToArray();
        }
    }

    /// <summary>How a crate stands; null: there is no such row.</summary>
    public async Task<CrateState?> StateAsync(long crateId, CancellationToken cancellationToken) =>
        (await database.ReadAsync(sql => CrateState.ReadAsync(sql, [crateId]), cancellationToken).ConfigureAwait(false)).GetValueOrDefault(crateId);

    private async Task<byte[]?> InGitAsync(string path, CancellationToken cancellationToken) =>
        await repository.TipAsync(cancellationToken).ConfigureAwait(false) is { } tip ? await repository.ReadAsync(tip, path, cancellationToken).ConfigureAwait(false) : null;

    private static IEnumerable<Difference> InIndex(string index, long crateId, IndexSnapshot file, string path, byte[]? found) =>
        IndexComparison.Compare(file.Content, found)
            .Select(line => new Difference(line.Kind, index, crateId, file.Name, line.Num, path, line.Detail));

    private async Task<long> ObjectsAsync(long crateId, string name, Func<long, bool> hashed, List<Difference> differences, CancellationToken cancellationToken)
    {
        var versions = await database.ReadAsync(
            sql => sql.QueryAsync(VersionsSql, static row => new Version(row.Long(0), row.Text(1), row.Text(2), row.Long(3), row.Text(4), row.Text(5)), crateId), cancellationToken).ConfigureAwait(false);
        // One listing for each spelling that the crate ever had, not a question for each version.
        var found = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var folder in versions.Select(static version => version.Folder).Distinct())
        {
            await foreach (var entry in store.ListAsync($"{StoreKeys.Crates}/{folder}", cancellationToken).ConfigureAwait(false)) found[entry.Key] = entry.Length;
            await foreach (var entry in store.ListAsync($"{StoreKeys.Records}/{folder}", cancellationToken).ConfigureAwait(false)) found[entry.Key] = entry.Length;
        }

        foreach (var version in versions)
        {
            long? length = found.TryGetValue(version.Key, out var bytes) ? bytes : null;
            var differs = length == version.Size && hashed(version.Id) && await HashDiffersAsync(version, cancellationToken).ConfigureAwait(false);
            foreach (var kind in ObjectRules.Of(new SeenVersion(version.Size, length, found.ContainsKey(version.Record), differs)))
            {
                differences.Add(kind == DifferenceKind.RecordMissing
                    ? new Difference(kind, "records", crateId, name, version.Num, version.Record, null)
                    : new Difference(kind, "objects", crateId, name, version.Num, version.Key, length is null || differs ? null : $"{length} bytes instead of {version.Size}"));
            }
        }

        return versions.Count * 2;
    }

    private async Task<bool> HashDiffersAsync(Version version, CancellationToken cancellationToken)
    {
        if (await store.OpenAsync(version.Key, cancellationToken).ConfigureAwait(false) is not { } stored) return false;
        await using (stored.ConfigureAwait(false))
        {
            return Checksum.FromBytes(await SHA256.HashDataAsync(stored.Content, cancellationToken).ConfigureAwait(false)).ToString() != version.Checksum;
        }
    }

    private sealed record Version(long Id, string Num, string Checksum, long Size, string Key, string PublishId)
    {
        public string Folder => Key.Split('/') is [_, var folder, ..] ? folder : "";

        public string Record => StoreKeys.Record(Folder, Num, PublishId);
    }
}
