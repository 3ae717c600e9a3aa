using System.Security.Cryptography;
using Pipeline.Registry.Cdn;
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
public sealed class CacheLooks(CacheClient client, IObjectStore store, RegistryOptions registry, TimeProvider clock)
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
    /// <param name="expected">The hash of the origin's content; null: it has none.</param>
    public static Seen Judge(CacheLook look, byte[]? expected)
    {
        ArgumentNullException.ThrowIfNull(look);
        return look.Status switch
        {
            200 => expected is not null && look.Sha256 is not null && expected.AsSpan().SequenceEqual(look.Sha256) ? Seen.New : Seen.Old,
            // An object store that may not be listed says 403 for what it does not have.
            403 or 404 or 410 => expected is null ? Seen.New : Seen.Old,
            _ => Seen.Nothing,
        };
    }

    private async Task<Seen> SettledAsync(CdnTarget target, string objectKey, string url, string? host, CancellationToken cancellationToken)
    {
        for (var i = 0; ; i++)
        {
            var (hash, length) = await ExpectedAsync(objectKey, cancellationToken).ConfigureAwait(false);
            Seen seen;
            try
            {
                seen = Judge(await client.LookAsync(target, url, host, length, cancellationToken).ConfigureAwait(false), hash);
            }
            catch (TransientException)
            {
                // The purge itself was taken; that the cache cannot be looked at is all that is known.
                return Seen.Nothing;
            }

            if (seen != Seen.Old || i == Waits.Length) return seen;
            await Task.Delay(Waits[i], clock, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<(byte[]? Hash, long Length)> ExpectedAsync(string objectKey, CancellationToken cancellationToken)
    {
        var stored = await store.OpenAsync(objectKey, cancellationToken).ConfigureAwait(false);
        if (stored is null)
        {
            // Standalone, the API answers for the one file of the index that is not in the store.
            if (objectKey != StoreKeys.SparseFile(IndexRepository.ConfigPath)) return (null, 0);
            var config = IndexConfig.Render(registry);
            return (SHA256.HashData(config), config.Length);
        }

        await using (stored.ConfigureAwait(false)) return (await SHA256.HashDataAsync(stored.Content, cancellationToken).ConfigureAwait(false), stored.Length);
    }
}
