using System.Runtime.CompilerServices;
using Pipeline.Contracts.Index;
using Pipeline.Registry.Database;
using Pipeline.Registry.Truth;

namespace Pipeline.Workers.Rebuilds;

/// <summary>What was rendered while an index was made anew: its files there may be older than what stood.</summary>
public static class MovedCrates
{
    private const string Sql =
        """
        SELECT p.crate_id FROM projections p JOIN crates c ON c.id = p.crate_id
        WHERE p.kind = $1 AND p.target = '' AND p.reached_at >= $2 AND c.namespace = ''
        """;

    // A renderer with an open claim may have written into the folder that went, or be about to.
    private const string ClaimedSql = " UNION SELECT crate_id FROM claims WHERE kind = $1 AND target = ''";

    /// <summary>The crates that a projection was rendered of since a moment, and those that somebody holds a claim on.</summary>
    public static ValueTask<List<long>> SinceAsync(Statements sql, string kind, long since)
    {
        ArgumentNullException.ThrowIfNull(sql);
        return sql.QueryAsync(Sql + ClaimedSql, static row => row.Long(0), kind, since);
    }

    /// <summary>
    /// Their files as the database has them now: every path that a crate ever had without content, and then its path of now with it.
    /// </summary>
    public static async IAsyncEnumerable<(string Path, byte[]? Content)> FilesAsync(IDatabase database, IReadOnlyList<long> crates, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(database);
        ArgumentNullException.ThrowIfNull(crates);
        foreach (var crate in crates)
        {
            var names = await database.ReadAsync(
                sql => sql.QueryAsync("SELECT DISTINCT name FROM changes WHERE crate_id = $1 AND name IS NOT NULL", static row => row.Text(0), crate), cancellationToken).ConfigureAwait(false);
            if (await database.ReadAsync(sql => IndexLines.ReadAsync(sql, crate), cancellationToken).ConfigureAwait(false) is not { } file) continue;
            var path = IndexPath.Of(file.Name);
            foreach (var former in names.Select(IndexPath.Of).Where(former => former != path).Distinct()) yield return (former, null);
            yield return (path, file.Content);
        }
    }
}
