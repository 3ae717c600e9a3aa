using System.Runtime.CompilerServices;
using Pipeline.Registry.Database;
using Pipeline.Registry.Truth;

namespace Pipeline.Workers.Rebuilds;

/// <summary>Walks through the index files as the database has them.</summary>
internal static class TruePages
{
    /// <summary>All pages, or the one crate.</summary>
    public static async IAsyncEnumerable<List<TrueFile>> AllAsync(IDatabase database, string? canonical, int pageSize, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var after = 0L;
        if (canonical is not null)
        {
            after = await database.ReadAsync(
                sql => sql.LongAsync("SELECT id - 1 FROM crates WHERE namespace = '' AND served AND canonical = $1", canonical), cancellationToken).ConfigureAwait(false)
                ?? throw new InvalidOperationException($"there is no crate {canonical}");
            pageSize = 1;
        }

        while (true)
        {
            var from = after;
            var page = await database.ReadAsync(sql => IndexPages.NextAsync(sql, from, pageSize), cancellationToken).ConfigureAwait(false);
            if (page.Count == 0) yield break;
            yield return page;
            if (canonical is not null) yield break;
            after = page[^1].CrateId;
        }
    }
}
