using Pipeline.Bench.Measuring;
using Pipeline.Registry.Database;

namespace Pipeline.Bench.Limits;

/// <summary>Limit: as many durable transactions as a publish has, each of one small insert, grouped into commits as the server groups them.</summary>
internal static class TransactionLimit
{
    // Parked, checked, reserved, recorded, index file claimed, claim closed.
    private const int PerPublish = 6;
    private static readonly string Text = new('x', 300);

    /// <summary>The CPU per publish, in milliseconds.</summary>
    public static async Task<double> MeasureAsync(int publishes, int clients)
    {
        var folder = RepositoryRoot.NewFolder("transactions");
        try
        {
            await using var database = new SqliteDatabase(Path.Combine(folder, "database"), TimeProvider.System, readers: 1);
            await database.WriteAsync(static sql => sql.ExecuteAsync("CREATE TABLE rows (id INTEGER PRIMARY KEY, text TEXT NOT NULL)"));
            await RunAsync(database, 3000, 64);
            var before = ProcessCpu.Own.Seconds();
            await RunAsync(database, publishes, clients);
            return (ProcessCpu.Own.Seconds() - before) * 1000 / publishes;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static Task RunAsync(SqliteDatabase database, int publishes, int clients)
    {
        var left = publishes * PerPublish;
        return Task.WhenAll(Enumerable.Range(0, clients).Select(_ => Task.Run(async () =>
        {
            while (Interlocked.Decrement(ref left) >= 0) await database.WriteAsync(static sql => sql.ExecuteAsync("INSERT INTO rows (text) VALUES ($1)", Text));
        })));
    }
}
