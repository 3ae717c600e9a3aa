using System.Globalization;
using Npgsql;
using Pipeline.Registry.Database;
using Pipeline.Tests.Services;

namespace Pipeline.Registry.Tests;

/// <summary>
/// A migrated database of its own, removed at the end of the test: SQLite in a folder, or a copy on the shared PostgreSQL. Its time is the
/// manual clock's on both.
/// </summary>
public sealed class TempDatabase : IAsyncDisposable
{
    // The clock of PostgreSQL cannot be set; this one is told the time with every piece of work (Clocked).
    private const string ManualNow =
        "CREATE OR REPLACE FUNCTION now_us() RETURNS BIGINT LANGUAGE sql VOLATILE AS $$ SELECT current_setting('pipeline.now')::BIGINT $$";

    private const string Variable = "PIPELINE_TEST_CONNECTION";

    private readonly IAsyncDisposable[] _owned;
    private readonly List<IAsyncDisposable> _again = [];
    private PostgresCopy? _copy;

    private TempDatabase(string folder, IDatabase database, ManualClock clock, params IAsyncDisposable[] owned) => (Folder, Database, Clock, _owned) = (folder, database, clock, owned);

    public string Folder { get; }

    public IDatabase Database { get; }

    public ManualClock Clock { get; }

    /// <summary>What a second process reads to <see cref="OpenForProcess">open</see> this database too, at the present time of the clock.</summary>
    public (string Name, string Value) Settings { get; private init; } = (Variable, "");

    /// <summary>Makes one on the engine that the suite runs on; its clock stands still unless another is given.</summary>
    public static Task<TempDatabase> CreateAsync(TimeProvider? itsClock = null) => CreateAsync(PostgresCopies.AreChosen, itsClock);

    /// <summary>Makes one on either engine, whatever the suite runs on.</summary>
    public static async Task<TempDatabase> CreateAsync(bool onPostgres, TimeProvider? itsClock = null)
    {
        var folder = Directory.CreateTempSubdirectory("registry-test-").FullName;
        var clock = new ManualClock();
        if (!onPostgres)
        {
            var sqlite = new SqliteDatabase(Path.Combine(folder, "registry.db"), itsClock ?? clock, readers: 2);
            await Migrator.MigrateAsync(sqlite);
            return new TempDatabase(folder, sqlite, clock, sqlite);
        }

        var copy = await PostgresCopies.CreateAsync();
        var postgres = copy.Open();
        if (itsClock == TimeProvider.System) return new TempDatabase(folder, postgres, clock, postgres, copy) { _copy = copy, Settings = (Variable, copy.Options.Postgres!.Reveal()) };
        await postgres.WriteAsync(sql => sql.ExecuteAsync(ManualNow));
        return new TempDatabase(folder, new Clocked(postgres, itsClock ?? clock), clock, postgres, copy) { _copy = copy, Settings = (Variable, Frozen(copy, clock)) };
    }

    /// <summary>The database of the test that started this process.</summary>
    public static IDatabase OpenForProcess(string folder) => Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } connection
        ? new PostgresDatabase(new DatabaseOptions { Postgres = new Contracts.Secret(connection) })
        : new SqliteDatabase(Path.Combine(folder, "registry.db"), TimeProvider.System, readers: 2);

    /// <summary>Runs a statement and returns its rows changed.</summary>
    public ValueTask<int> ExecuteAsync(string sql, params object?[] parameters) => Database.WriteAsync(statements => statements.ExecuteAsync(sql, parameters));

    /// <summary>The single integer of a query.</summary>
    public ValueTask<long?> LongAsync(string sql, params object?[] parameters) => Database.ReadAsync(statements => statements.LongAsync(sql, parameters));

    /// <summary>The single text of a query.</summary>
    public ValueTask<string?> TextAsync(string sql, params object?[] parameters) => Database.ReadAsync(statements => statements.TextAsync(sql, parameters));

    /// <summary>The texts of a query's rows, with commas between.</summary>
    public async ValueTask<string> TextsAsync(string sql, params object?[] parameters) =>
        string.Join(", ", await Database.ReadAsync(statements => statements.QueryAsync(sql, static row => row.Text(0), parameters)));

    /// <summary>Opens it once more, as another process does; closed with this.</summary>
    public IDatabase OpenAgain()
    {
        IDatabase again = _copy is not null ? _copy.Open() : new SqliteDatabase(Path.Combine(Folder, "registry.db"), TimeProvider.System, readers: 2);
        _again.Add((IAsyncDisposable)again);
        return again;
    }

    /// <summary>Closes the database while the test goes on.</summary>
    public ValueTask CloseAsync() => _owned[0].DisposeAsync();

    public async ValueTask DisposeAsync()
    {
        foreach (var one in _again) await one.DisposeAsync();
        foreach (var one in _owned) await one.DisposeAsync();
        Directory.Delete(Folder, recursive: true);
    }

    // No code of this assembly may stand between the second process and the driver's threads (SecondProcess), so no Clocked either.
    private static string Frozen(PostgresCopy copy, ManualClock clock) =>
        new NpgsqlConnectionStringBuilder(copy.Options.Postgres!.Reveal()) { Options = $"-c pipeline.now={Microseconds.Of(clock.GetUtcNow())}" }.ConnectionString;

    private sealed class Clocked(PostgresDatabase database, TimeProvider clock) : IDatabase
    {
        public Dialect Dialect => database.Dialect;

        public long Commits => database.Commits;

        public ValueTask<T> ReadAsync<T>(Func<Statements, ValueTask<T>> read, CancellationToken cancellationToken = default) =>
            database.ReadAsync(sql => AtAsync(sql, read), cancellationToken);

        public ValueTask<T> WriteAsync<T>(Func<Statements, ValueTask<T>> work, CancellationToken cancellationToken = default) =>
            database.WriteAsync(sql => AtAsync(sql, work), cancellationToken);

        private async ValueTask<T> AtAsync<T>(Statements sql, Func<Statements, ValueTask<T>> work)
        {
            var now = Microseconds.Of(clock.GetUtcNow()).ToString(CultureInfo.InvariantCulture);
            await sql.TextAsync("SELECT set_config('pipeline.now', $1, false)", now);
            return await work(sql);
        }
    }
}
