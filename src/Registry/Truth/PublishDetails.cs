using Pipeline.Registry.Database;
using Pipeline.Registry.Failures;

namespace Pipeline.Registry.Truth;

/// <summary>When a cache was told of a publish.</summary>
/// <param name="Target">The cache.</param>
/// <param name="ConfirmedAt">When it had forgotten what it showed before, microseconds; null: it has not yet.</param>
/// <param name="Attempts">Tries that failed.</param>
public sealed record CacheTimes(string Target, long? ConfirmedAt, long Attempts);

/// <summary>What stands beside the timeline of a publish for operators: its failures and the caches.</summary>
/// <param name="Failures">Failures of its stages, oldest first.</param>
/// <param name="Caches">The caches that had to be told; none where there is no cache, or when it was so long ago that it is forgotten.</param>
public sealed record PublishDetails(IReadOnlyList<FailureRow> Failures, IReadOnlyList<CacheTimes> Caches)
{
    /// <summary>Reads them.</summary>
    public static async ValueTask<PublishDetails> ReadAsync(Statements sql, PublishTimeline publish)
    {
        ArgumentNullException.ThrowIfNull(sql);
        ArgumentNullException.ThrowIfNull(publish);
        var failures = await FailureRow.OfKeyAsync(sql, publish.Id).ConfigureAwait(false);
        if (publish.CrateId is not { } crate) return new PublishDetails(failures, []);
        var sparse = publish.EndOf("render-sparse");
        // A crate's failures are those of all its revisions: only what was seen between the verdict and the index is this publish's.
        foreach (var failure in await FailureRow.OfKeyAsync(sql, crate.ToString(System.Globalization.CultureInfo.InvariantCulture)).ConfigureAwait(false))
        {
            var end = failure.Stage switch
            {
                "render-sparse" => sparse ?? long.MaxValue,
                "commit-index" => publish.EndOf("commit-index") ?? long.MaxValue,
                _ => long.MinValue,
            };
            if (failure.LastSeen >= publish.DecidedAt && failure.FirstSeen <= end) failures.Add(failure);
        }

        var caches = sparse is { } at ? await CachesAsync(sql, crate, at).ConfigureAwait(false) : [];
        foreach (var target in caches.Where(static cache => cache.ConfirmedAt is null).Select(static cache => cache.Target)) failures.AddRange(await OpenAsync(sql, "purge-cdn", target).ConfigureAwait(false));
        if (publish.EndOf("commit-index") is null) failures.AddRange(await OpenAsync(sql, "commit-index", "index").ConfigureAwait(false));
        return new PublishDetails(failures, caches);
    }

    // What stood open when the index showed the version had to be told of it, and was told later.
    private static ValueTask<List<CacheTimes>> CachesAsync(Statements sql, long crate, long sparseAt) => sql.QueryAsync(
        """
        SELECT target, CASE WHEN COUNT(*) = COUNT(confirmed_at) THEN MAX(confirmed_at) END, CAST(SUM(attempts) AS BIGINT) FROM purges
        WHERE crate_id = $1 AND NOT again AND created_at <= $2 AND (confirmed_at IS NULL OR confirmed_at >= $2) GROUP BY target ORDER BY target
        """,
        static row => new CacheTimes(row.Text(0), row.LongOrNull(1), row.Long(2)), crate, sparseAt);

    private static async ValueTask<IEnumerable<FailureRow>> OpenAsync(Statements sql, string stage, string key) =>
        (await FailureRow.OfKeyAsync(sql, key).ConfigureAwait(false)).Where(failure => failure.Stage == stage && failure.ResolvedAt is null);
}
