using System.Security.Cryptography;
using Pipeline.Registry.Cdn;
using Pipeline.Registry.Database;
using Pipeline.Registry.Failures;
using Pipeline.Registry.Git;
using Pipeline.Registry.Options;
using Pipeline.Registry.Store;
using Pipeline.Registry.Truth;

namespace Pipeline.Workers.Cdn;

/// <summary>What fetches through a cache showed of a purge.</summary>
public enum Seen
{
    /// <summary>The new content, wherever it could be looked at.</summary>
    New,

    /// <summary>The old content.</summary>
    Old,

    /// <summary>Nothing that tells: the cache wants a token, or its origin is away.</summary>
    Nothing,
}

/// <summary>
/// Looks whether a purge took effect. Contents are compared, not ETags: the API and an object store name the same bytes differently.
/// </summary>
public sealed class CacheLooks(CacheClient client, IDatabase database, IObjectStore store, RegistryOptions registry, TimeProvider clock)
{
    // A soft purge serves the old content once more and fetches the new one meanwhile; a key purge misses a fetch under way.
    private static readonly TimeSpan[] Waits = [TimeSpan.FromMilliseconds(50), TimeSpan.FromMilliseconds(250), TimeSpan.FromSeconds(1)];

    /// <summary>Fetches what a purge was about through the target and compares it with the origin's content.</summary>
    public async Task<Seen> LookAsync(CdnTarget target, PurgeItem item, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(target);
        ArgumentNullException.ThrowIfNull(item);
        var objectKey = item.Scope == PurgeScope.Url ? item.Value : CacheKeys.ObjectOf(item.Value);
        if (objectKey is null) return Seen.Nothing;
        var all = Seen.New;
        foreach (var (url, host) in ServedUrls.Of(target, objectKey).SelectMany(url => ServedUrls.AtNodes(target, url)))
        {
            var seen = await SettledAsync(target, objectKey, url, host, cancellationToken).ConfigureAwait(false);
            if (seen == Seen.Old) return seen;
            if (seen == Seen.Nothing) all = seen;
        }

        return all;
    }

    /// <summary>What a look shows, given what the origin has.</summary>
    /// <param name="look">The look.</param>
    /// <param name="origin">What the origin has.</param>
    public static Seen Judge(CacheLook look, OriginContent origin)
    {
        ArgumentNullException.ThrowIfNull(look);
        ArgumentNullException.ThrowIfNull(origin);
        return look.Status switch
        {
            // The API does not serve a deleted version's bytes any more; an object store does, until they go.
            200 when origin.IsGoing => Seen.Nothing,
            200 => origin.Sha256 is not null && look.Sha256 is not null && origin.Sha256.AsSpan().SequenceEqual(look.Sha256) ? Seen.New : Seen.Old,
            // An object store that may not be listed says 403 for what it does not have.
            403 or 404 or 410 => origin.Sha256 is null || origin.IsGoing ? Seen.New : Seen.Old,
            _ => Seen.Nothing,
        };
    }

    private async Task<Seen> SettledAsync(CdnTarget target, string objectKey, string url, string? host, CancellationToken cancellationToken)
    {
        for (var i = 0; ; i++)
        {
            Seen seen;
            try
            {
                var origin = await OriginAsync(objectKey, cancellationToken).ConfigureAwait(false);
                seen = Judge(await client.LookAsync(target, url, host, origin.Length, cancellationToken).ConfigureAwait(false), origin);
            }
            catch (TransientException)
            {
                // The purge itself was taken; that the cache or its origin cannot be looked at is all that is known.
                return Seen.Nothing;
            }

            if (seen != Seen.Old || i == Waits.Length) return seen;
            await Task.Delay(Waits[i], clock, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<OriginContent> OriginAsync(string objectKey, CancellationToken cancellationToken)
    {
        var stored = await store.OpenAsync(objectKey, cancellationToken).ConfigureAwait(false);
        if (stored is null)
        {
            // Standalone, the API answers for the one file of the index that is not in the store.
            if (objectKey != StoreKeys.SparseFile(IndexRepository.ConfigPath)) return new OriginContent(null, 0, IsGoing: false);
            var config = IndexConfig.Render(registry);
            return new OriginContent(SHA256.HashData(config), config.Length, IsGoing: false);
        }

        await using (stored.ConfigureAwait(false))
        {
            var isGoing = objectKey.StartsWith(StoreKeys.Crates + "/", StringComparison.Ordinal) && !await IsNamedAsync(objectKey, cancellationToken).ConfigureAwait(false);
            return new OriginContent(await SHA256.HashDataAsync(stored.Content, cancellationToken).ConfigureAwait(false), stored.Length, isGoing);
        }
    }

    private async ValueTask<bool> IsNamedAsync(string objectKey, CancellationToken cancellationToken) => await database.ReadAsync(
        sql => sql.LongAsync("SELECT 1 FROM versions WHERE object_key = $1 AND state = 'active' LIMIT 1", objectKey), cancellationToken).ConfigureAwait(false) is not null;
}

/// <summary>What the origin of the caches has under a key.</summary>
/// <param name="Sha256">The hash of its content; null: there is none.</param>
/// <param name="Length">How many bytes it is.</param>
/// <param name="IsGoing">Whether no version names it any more, so that it may be served or not.</param>
public sealed record OriginContent(byte[]? Sha256, long Length, bool IsGoing);
