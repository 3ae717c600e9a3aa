using Pipeline.Bench.Measuring;
using Pipeline.Registry.Database;

namespace Pipeline.Bench.Publishing;

/// <summary>Looks at how far the server's projections are, in its database: a question over HTTP would cost the server.</summary>
internal sealed class Projections : IAsyncDisposable
{
    private readonly IDatabase _database;
    private readonly IAsyncDisposable _connection;

    /// <summary>Connects to a server's database.</summary>
    public Projections(IServer server) => (_database, _connection) = server.OpenDatabase();

    /// <summary>Waits until nothing lags and no publish is undecided. Returns how long that took, in seconds.</summary>
    public async Task<double> WaitAsync()
    {
        var started = System.Diagnostics.Stopwatch.GetTimestamp();
        while (await BehindAsync() > 0)
        {
            if (System.Diagnostics.Stopwatch.GetElapsedTime(started).TotalMinutes > 5) throw new TimeoutException("the projections do not catch up");
            await Task.Delay(10);
        }

        return System.Diagnostics.Stopwatch.GetElapsedTime(started).TotalSeconds;
    }

    /// <summary>How many projections lag.</summary>
    public async Task<long> BehindAsync() => (await _database.ReadAsync(static sql => sql.LongAsync("SELECT count(*) FROM projections WHERE reached < wanted")))!.Value;

    /// <summary>The crate id that comes next: crates from here on are the coming run's.</summary>
    public async Task<long> NextCrateAsync() => (await _database.ReadAsync(static sql => sql.LongAsync("SELECT coalesce(max(id), 0) + 1 FROM crates")))!.Value;

    /// <summary>Milliseconds from a version's row to its place in a projection, at a percentile, over crates with one version.</summary>
    public async Task<(double Half, double Most)> LagAsync(string kind, long firstCrate)
    {
        var times = await _database.ReadAsync(sql => sql.QueryAsync(
            "SELECT p.reached_at - c.last_published_at FROM projections p JOIN crates c ON c.id = p.crate_id WHERE p.kind = $1 AND p.crate_id >= $2",
            static row => row.Long(0) / 1000.0, kind, firstCrate));
        return (Percentiles.Of(times, 0.5), Percentiles.Of(times, 0.99));
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _connection.DisposeAsync();
}
