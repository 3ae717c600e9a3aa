using Pipeline.Registry.Database;

namespace Pipeline.Registry.Tests;

/// <summary>A migrated SQLite database in a folder of its own, removed at the end of the test.</summary>
public sealed class TempDatabase : IAsyncDisposable
{
    private TempDatabase(string folder, SqliteDatabase database, ManualClock clock) => (Folder, Database, Clock) = (folder, database, clock);

    public string Folder { get; }

    public SqliteDatabase Database { get; }

    public ManualClock Clock { get; }

    /// <summary>Makes it; its clock stands still unless another is given.</summary>
    public static async Task<TempDatabase> CreateAsync(TimeProvider? itsClock = null)
    {
        var folder = Directory.CreateTempSubdirectory("registry-test-").FullName;
        var clock = new ManualClock();
        var database = new SqliteDatabase(Path.Combine(folder, "registry.db"), itsClock ?? clock, readers: 2);
        await Migrator.MigrateAsync(database);
        return new TempDatabase(folder, database, clock);
    }

    /// <summary>Runs a statement and returns its rows changed.</summary>
    public ValueTask<int> ExecuteAsync(string sql, params object?[] parameters) => Database.WriteAsync(statements => statements.ExecuteAsync(sql, parameters));

    /// <summary>The single integer of a query.</summary>
    public ValueTask<long?> LongAsync(string sql, params object?[] parameters) => Database.ReadAsync(statements => statements.LongAsync(sql, parameters));

    /// <summary>The single text of a query.</summary>
    public ValueTask<string?> TextAsync(string sql, params object?[] parameters) => Database.ReadAsync(statements => statements.TextAsync(sql, parameters));

    public async ValueTask DisposeAsync()
    {
        await Database.DisposeAsync();
        Directory.Delete(Folder, recursive: true);
    }
}
