using Pipeline.Contracts;
using Pipeline.Registry.Cdn;
using Pipeline.Registry.Truth;
using Pipeline.Workers.Tests.Harness;

namespace Pipeline.Workers.Tests.Cdn;

/// <summary>What the tests of the CDN worker ask of the database.</summary>
internal static class PurgedRegistry
{
    public static CdnTarget Plain(string url, string name = "edge") =>
        new() { Name = name, IndexUrls = [url + "/index/"], FileUrls = [url + "/crates/"], Token = new Secret("t0ken"), TimeoutSeconds = 5 };

    public static CdnOptions Options(params CdnTarget[] targets) => new() { Targets = targets };

    /// <summary>Writes the purges of a changed index file as the renderer does.</summary>
    public static async Task PurgeAsync(this WorkerHarness harness, CdnOptions options, string path, string cause = PurgeCauses.Changed) =>
        await harness.Database.WriteAsync(sql => new Purges(options).OfIndexFileAsync(sql, new PurgedCrate(1), path, cause));

    /// <summary>Every purge as <c>target value state</c>, oldest first; a second purge of a key is marked.</summary>
    public static ValueTask<List<string>> PurgesAsync(this WorkerHarness harness) => harness.Database.ReadAsync(sql => sql.QueryAsync(
        """
        SELECT target || ' ' || value || CASE WHEN again THEN ' again' ELSE '' END || ' '
            || CASE WHEN confirmed_at IS NOT NULL THEN outcome WHEN taken_at IS NOT NULL THEN 'taken' WHEN attempts > 0 THEN 'failed ' || attempts ELSE 'waits' END
        FROM purges ORDER BY id
        """,
        row => row.Text(0)));

    public static ValueTask<List<string>> RowsAsync(this WorkerHarness harness, string sql) => harness.Database.ReadAsync(statements => statements.QueryAsync(sql, row => row.Text(0)));

    /// <summary>Waits until a purge's state is there; a bell that finds its target at work leaves the work to whoever is at it.</summary>
    public static async Task UntilAsync(this WorkerHarness harness, string purge)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (!(await harness.PurgesAsync()).Contains(purge)) await Task.Delay(5, limit.Token);
    }

    /// <summary>As if every wait were over.</summary>
    public static async Task WaitedAsync(this WorkerHarness harness)
    {
        await harness.ExecuteAsync("UPDATE purges SET due_at = now_us() WHERE confirmed_at IS NULL");
        await harness.ExecuteAsync("UPDATE cdn_targets SET next_try_at = now_us()");
    }
}
