using Pipeline.Contracts;
using Pipeline.Registry.Database;

namespace Pipeline.Registry.Truth;

/// <summary>
/// The version shown when none is named (crates-io-behaviour §7.2): not yanked before yanked, full releases before pre-releases,
/// then the higher precedence, then the later row.
/// </summary>
public static class DefaultVersion
{
    private const byte No = 0;
    private const byte Yes = 1;

    /// <summary>
    /// A version's rank, for <c>crates.default_rank</c>: compared as unsigned bytes, the greater is the better default.
    /// A publish takes over the default when its rank is not below the stored one.
    /// </summary>
    public static byte[] Rank(CrateVersion version, bool yanked)
    {
        ArgumentNullException.ThrowIfNull(version);
        return Rank(version.ToSortKey(), version.IsPrerelease, yanked);
    }

    /// <summary>The rank from the columns of a version's row.</summary>
    public static byte[] Rank(ReadOnlySpan<byte> sortKey, bool prerelease, bool yanked) => [yanked ? No : Yes, prerelease ? No : Yes, .. sortKey];

    /// <summary>Whether the version of a rank is yanked; no version at all counts as not yanked.</summary>
    public static bool IsYanked(byte[]? rank) => rank is [No, ..];

    /// <summary>Whether the version of a rank is in force and no pre-release, and so the highest such version of its crate.</summary>
    public static bool IsStable(byte[]? rank) => rank is [Yes, Yes, ..];

    /// <summary>Finds the default anew, after a yank or a deletion. The caller holds the crate's row.</summary>
    public static async ValueTask RecomputeAsync(Statements sql, long crateId)
    {
        // Versions in force come from an index; only when all are yanked are all of them read.
        var best = await BestAsync(sql, crateId, "NOT yanked").ConfigureAwait(false) ?? await BestAsync(sql, crateId, "yanked").ConfigureAwait(false);
        await sql.ExecuteAsync("UPDATE crates SET default_version = $2, default_rank = $3 WHERE id = $1", crateId, best?.Num, best?.Rank).ConfigureAwait(false);
    }

    private static ValueTask<Best?> BestAsync(Statements sql, long crateId, string which) => sql.FirstAsync(
        $"SELECT num, sort_key, prerelease, yanked FROM versions WHERE crate_id = $1 AND state = 'active' AND {which} ORDER BY prerelease, sort_key DESC, id DESC LIMIT 1",
        static row => new Best(row.Text(0), Rank(row.Bytes(1), row.Bool(2), row.Bool(3))),
        crateId);

    private sealed record Best(string Num, byte[] Rank);
}
