using System.Collections.Concurrent;
using Pipeline.Registry.Database;

namespace Pipeline.Registry.Identity;

/// <summary>
/// When tokens were last used: noted in memory on the request's path, written in batches beside it, at most once a minute per token.
/// A crash loses at most the notes of one interval; nothing depends on them.
/// </summary>
public sealed class TokenUse(IDatabase database)
{
    private const long Interval = 60 * Microseconds.Second;
    private const int Capacity = 10_000;

    private readonly ConcurrentDictionary<long, byte> _pending = new();

    /// <summary>Notes a use, unless the stored time is recent enough.</summary>
    /// <param name="tokenId">The token.</param>
    /// <param name="lastUsedAt">The stored time.</param>
    /// <param name="now">The database's time.</param>
    public void Note(long tokenId, long? lastUsedAt, long now)
    {
        if (now - lastUsedAt < Interval || _pending.Count >= Capacity) return;
        _pending.TryAdd(tokenId, 0);
    }

    /// <summary>Writes what was noted. What could not be written stays noted.</summary>
    public async ValueTask FlushAsync(CancellationToken cancellationToken = default)
    {
        // In one order in every process: in different orders two would wait for each other.
        var tokens = _pending.Keys.Order().ToArray();
        if (tokens.Length == 0) return;
        await database.WriteAsync(sql => WriteAsync(sql, tokens), cancellationToken).ConfigureAwait(false);
        foreach (var token in tokens) _pending.TryRemove(token, out _);
    }

    private static async ValueTask<int> WriteAsync(Statements sql, long[] tokens)
    {
        foreach (var token in tokens) await sql.ExecuteAsync("UPDATE tokens SET last_used_at = now_us() WHERE id = $1", token).ConfigureAwait(false);
        return tokens.Length;
    }
}
