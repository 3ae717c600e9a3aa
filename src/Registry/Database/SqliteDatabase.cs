using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Threading.Channels;
using Microsoft.Data.Sqlite;
using Pipeline.Registry.Failures;
using Pipeline.Registry.Telemetry;

namespace Pipeline.Registry.Database;

/// <summary>
/// SQLite in WAL mode. One thread writes: it takes the transactions that wait, runs each on its own savepoint, and commits them together, so that
/// one fsync serves many publishes. A commit of transactions none of which asks for it is not synced; the next synced one takes it along, since
/// the log is one file. Reads use a small pool of connections.
/// </summary>
public sealed class SqliteDatabase : IDatabase, IAsyncDisposable
{
    /// <summary>The most transactions one commit carries.</summary>
    public const int MaxGroup = 256;

    private static readonly Lock LoadGate = new();
    private static bool s_loaded;

    private readonly string _connectionString;
    private readonly TimeProvider _clock;
    private readonly WriteQueue<Work> _writes = new(4096);
    private readonly Channel<Reader> _readers;
    private readonly Task _writer;
    private long _commits;

    /// <summary>Opens (or creates) the database file; migrations are a separate step (<see cref="Migrator"/>).</summary>
    /// <param name="path">The file.</param>
    /// <param name="clock">The database's clock: SQLite has none finer than a millisecond.</param>
    /// <param name="readers">How many reads run side by side.</param>
    public SqliteDatabase(string path, TimeProvider clock, int readers = 8)
    {
        LoadLibrary();
        _clock = clock;
        PrivateFile.Ensure(path);
        _connectionString = new SqliteConnectionStringBuilder { DataSource = path, Pooling = false }.ToString();
        _readers = Channel.CreateBounded<Reader>(readers);
        for (var i = 0; i < readers; i++) _readers.Writer.TryWrite(new Reader());
        var connection = Open();
        _writer = Task.Factory.StartNew(() => WriteLoop(connection), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    /// <inheritdoc/>
    public Dialect Dialect => Dialect.Sqlite;

    /// <inheritdoc/>
    public long Commits => Volatile.Read(ref _commits);

    /// <inheritdoc/>
    public async ValueTask<T> ReadAsync<T>(Func<Statements, ValueTask<T>> read, CancellationToken cancellationToken = default)
    {
        var reader = await _readers.Reader.ReadAsync(cancellationToken).ConfigureAwait(false);
        PipelineMeter.Reads.Add(1);
        try
        {
            reader.Statements ??= new Statements(reader.Connection = Open(), Dialect);
            return await read(reader.Statements).ConfigureAwait(false);
        }
        catch (SqliteException e) when (IsTransient(e))
        {
            throw Busy(e);
        }
        finally
        {
            await _readers.Writer.WriteAsync(reader, CancellationToken.None).ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public ValueTask<T> WriteAsync<T>(Func<Statements, ValueTask<T>> work, CancellationToken cancellationToken = default) => WriteAsync(work, isSynced: true, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<T> WriteUnsyncedAsync<T>(Func<Statements, ValueTask<T>> work, CancellationToken cancellationToken = default) => WriteAsync(work, isSynced: false, cancellationToken);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (!_writes.Close()) return;
        await _writer.ConfigureAwait(false);
        _writes.Dispose();
        _readers.Writer.TryComplete();
        await foreach (var reader in _readers.Reader.ReadAllAsync().ConfigureAwait(false)) reader.Dispose();
    }

    private async ValueTask<T> WriteAsync<T>(Func<Statements, ValueTask<T>> work, bool isSynced, CancellationToken cancellationToken)
    {
        var item = new Work<T>(work, isSynced);
        await _writes.AddAsync(item, cancellationToken).ConfigureAwait(false);
        // Not cancellable from here on: the caller must learn whether it was committed.
        return await item.Done.ConfigureAwait(false);
    }

    private static void LoadLibrary()
    {
        lock (LoadGate)
        {
            if (s_loaded) return;
            // The package's own native library is years old: Debian's is patched and always there.
            NativeLibrary.SetDllImportResolver(
                typeof(SQLitePCL.SQLite3Provider_e_sqlite3).Assembly,
                static (name, _, _) => name == "e_sqlite3" && NativeLibrary.TryLoad("libsqlite3.so.0", out var handle) ? handle : 0);
            SQLitePCL.raw.SetProvider(new SQLitePCL.SQLite3Provider_e_sqlite3());
            // A connection is used by one thread at a time, and nobody asks how much memory SQLite has: its locks for both cost more than many statements.
            SQLitePCL.raw.sqlite3_config(SQLitePCL.raw.SQLITE_CONFIG_MULTITHREAD);
            SQLitePCL.raw.sqlite3_config(SQLitePCL.raw.SQLITE_CONFIG_MEMSTATUS, 0);
            s_loaded = true;
        }
    }

    /// <summary>Whether an exception says that the database is away, busy or full.</summary>
    internal static bool IsTransient(Exception exception) => exception is SqliteException e && IsTransient(e);

    private static bool IsTransient(SqliteException e) =>
        e.SqliteErrorCode is SQLitePCL.raw.SQLITE_BUSY or SQLitePCL.raw.SQLITE_LOCKED or SQLitePCL.raw.SQLITE_FULL or SQLitePCL.raw.SQLITE_IOERR or SQLitePCL.raw.SQLITE_CANTOPEN;

    private static TransientException Busy(SqliteException e) =>
        new("database-busy", string.Create(CultureInfo.InvariantCulture, $"the database cannot be used now (SQLite code {e.SqliteErrorCode})"), e);

    private SqliteConnection Open()
    {
        var connection = new SqliteConnection(_connectionString);
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = "PRAGMA busy_timeout = 10000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -16384; PRAGMA wal_autocheckpoint = 8000;";
        command.ExecuteNonQuery();
        connection.CreateFunction("now_us", () => Microseconds.Of(_clock.GetUtcNow()), isDeterministic: false);
        return connection;
    }

    private void WriteLoop(SqliteConnection connection)
    {
        using var _ = connection;
        using var statements = new Statements(connection, Dialect);
        var group = new List<Work>(MaxGroup);
        var isFull = true;
        while (_writes.Take(group, MaxGroup))
        {
            var wantsSync = group.Exists(static item => item.IsSynced);
            // Not as a prepared statement: this one takes effect when it is compiled.
            if (wantsSync != isFull) SQLitePCL.raw.sqlite3_exec(connection.Handle, wantsSync ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
            isFull = wantsSync;
            Commit(statements, group, wantsSync);
            group.Clear();
        }
    }

    private void Commit(Statements statements, List<Work> group, bool isSynced)
    {
        try
        {
            Run(statements, "BEGIN IMMEDIATE");
            foreach (var item in group)
            {
                Run(statements, "SAVEPOINT one");
                Activity.Current = item.Activity;
                if (!item.Run(statements)) Run(statements, "ROLLBACK TO one");
                Run(statements, "RELEASE one");
            }

            Run(statements, "COMMIT");
        }
        catch (Exception e)
        {
            // The whole group failed with its commit: every caller is told, none took effect.
            var told = e is SqliteException sqlite && IsTransient(sqlite) ? Busy(sqlite) : e;
            foreach (var item in group) item.Fail(told);
            RollBack(statements);
            return;
        }

        Activity.Current = null;
        Interlocked.Increment(ref _commits);
        PipelineMeter.Committed(isSynced);
        PipelineMeter.Writes.Add(group.Count);
        foreach (var item in group) item.Complete();
    }

    private static void RollBack(Statements statements)
    {
        try
        {
            Run(statements, "ROLLBACK");
        }
        catch (SqliteException e) when (e.SqliteErrorCode == SQLitePCL.raw.SQLITE_ERROR)
        {
            // SQLite already rolled back by itself, as it does when the disk is full; the callers were told the cause.
        }
    }

    private static void Run(Statements statements, string sql) => statements.ExecuteAsync(sql).AsTask().GetAwaiter().GetResult();

    private abstract class Work(bool isSynced)
    {
        private readonly Activity? _activity = Activity.Current;

        /// <summary>What the caller was doing: changes keep its trace. Null also when it has ended, as it can when the caller did not wait.</summary>
        public Activity? Activity => _activity is { IsStopped: false } ? _activity : null;

        /// <summary>Whether the caller is told only once it is durable.</summary>
        public bool IsSynced => isSynced;

        public abstract bool Run(Statements statements);

        public abstract void Complete();

        public abstract void Fail(Exception exception);
    }

    private sealed class Work<T>(Func<Statements, ValueTask<T>> work, bool isSynced) : Work(isSynced)
    {
        private readonly TaskCompletionSource<T> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private T? _result;
        private Exception? _exception;

        public Task<T> Done => _done.Task;

        public override bool Run(Statements statements)
        {
            try
            {
                var task = work(statements);
                // SQLite's provider completes every call before it returns; work that waits for anything else would stall all writers.
                if (!task.IsCompleted) throw new InvalidOperationException("a transaction waited for something that is not the database");
                _result = task.GetAwaiter().GetResult();
                return true;
            }
            catch (SqliteException e) when (IsTransient(e))
            {
                _exception = Busy(e);
                return false;
            }
            catch (Exception e)
            {
                _exception = e;
                return false;
            }
        }

        public override void Complete()
        {
            if (_exception is null) _done.SetResult(_result!);
            else _done.SetException(_exception);
        }

        public override void Fail(Exception exception) => _done.TrySetException(_exception ?? exception);
    }

    private sealed class Reader : IDisposable
    {
        public SqliteConnection? Connection { get; set; }

        public Statements? Statements { get; set; }

        public void Dispose()
        {
            Statements?.Dispose();
            Connection?.Dispose();
        }
    }
}
