using System.Data;
using System.Net.Sockets;
using Npgsql;
using Pipeline.Registry.Failures;
using Pipeline.Registry.Telemetry;

namespace Pipeline.Registry.Database;

/// <summary>
/// PostgreSQL through a pool of connections, which come back by themselves after it was away. Transactions are READ COMMITTED: each statement
/// sees what was committed before it began, and what must not change between two statements is held by a row's lock, which the first takes.
/// </summary>
public sealed class PostgresDatabase : IDatabase, IAsyncDisposable
{
    /// <summary>How often a transaction is run again after a deadlock or a serialisation failure.</summary>
    public const int MostRuns = 8;

    private readonly NpgsqlDataSource _source;
    private long _commits;

    /// <summary>Prepares the pool; nothing is connected yet.</summary>
    /// <exception cref="InvalidOperationException">The connection string cannot be read; the text does not repeat it.</exception>
    public PostgresDatabase(DatabaseOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        _source = Source(options);
    }

    /// <inheritdoc/>
    public Dialect Dialect => Dialect.Postgres;

    /// <inheritdoc/>
    public long Commits => Volatile.Read(ref _commits);

    /// <inheritdoc/>
    public async ValueTask<T> ReadAsync<T>(Func<Statements, ValueTask<T>> read, CancellationToken cancellationToken = default)
    {
        for (var run = 1; ; run++)
        {
            try
            {
                var connection = await OpenAsync(cancellationToken).ConfigureAwait(false);
                await using var _ = connection.ConfigureAwait(false);
                using var statements = new Statements(connection, Dialect, cancellationToken);
                PipelineMeter.Reads.Add(1);
                return await read(statements).ConfigureAwait(false);
            }
            catch (Exception e) when (PostgresErrors.Judge(e) is not PostgresTrouble.Fault and var trouble)
            {
                if (!await MayRunAgainAsync(trouble, run).ConfigureAwait(false)) throw PostgresErrors.Transient(trouble, e);
            }
        }
    }

    /// <inheritdoc/>
    public async ValueTask<T> WriteAsync<T>(Func<Statements, ValueTask<T>> work, CancellationToken cancellationToken = default)
    {
        for (var run = 1; ; run++)
        {
            var commits = false;
            try
            {
                var connection = await OpenAsync(cancellationToken).ConfigureAwait(false);
                await using var _ = connection.ConfigureAwait(false);
                // Not cancellable from here on: the caller must learn whether it was committed.
                var transaction = await connection.BeginTransactionAsync(IsolationLevel.ReadCommitted, CancellationToken.None).ConfigureAwait(false);
                await using var __ = transaction.ConfigureAwait(false);
                using var statements = new Statements(connection, Dialect);
                var result = await work(statements).ConfigureAwait(false);
                commits = true;
                await transaction.CommitAsync(CancellationToken.None).ConfigureAwait(false);
                PipelineMeter.Committed(isSynced: true);
                PipelineMeter.Writes.Add(1);
                return result;
            }
            catch (Exception e) when (PostgresErrors.Judge(e) is not PostgresTrouble.Fault and var trouble)
            {
                // The answer to a COMMIT got lost: it may have happened, so the work must not run again as if it had not.
                if (commits && trouble != PostgresTrouble.Conflict)
                    throw new TransientException("database-away", "the connection to the database broke during a commit: whether it took effect is not known", e);
                if (!await MayRunAgainAsync(trouble, run).ConfigureAwait(false)) throw PostgresErrors.Transient(trouble, e);
            }
            finally
            {
                // Also when it is not known whether it took effect.
                if (commits) Interlocked.Increment(ref _commits);
            }
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _source.DisposeAsync();

    private static NpgsqlDataSource Source(DatabaseOptions options)
    {
        var builder = new NpgsqlDataSourceBuilder(options.ReadPostgres().ConnectionString);
        // Traces name the pool by this; by default they would show host and user.
        builder.Name = "registry";
        var connection = builder.ConnectionStringBuilder;
        connection.ApplicationName ??= "pipeline";
        connection.MaxPoolSize = options.MaxConnections;
        connection.Timeout = options.ConnectSeconds;
        connection.CommandTimeout = options.CommandSeconds;
        connection.IncludeErrorDetail = false;
        connection.PersistSecurityInfo = false;
        connection.Enlist = false;
        // Statements are prepared when a connection meets them for the second time; nothing else is set on a connection that would need a reset.
        connection.MaxAutoPrepare = 256;
        connection.AutoPrepareMinUsages = 2;
        connection.NoResetOnClose = true;
        return builder.Build();
    }

    private async ValueTask<NpgsqlConnection> OpenAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await _source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (PostgresException e) when (PostgresErrors.Judge(e.SqlState) == PostgresTrouble.Fault)
        {
            // A password that was changed, a database that is being restored: nothing is wrong with the work.
            throw new TransientException("database-away", $"the database refuses the connection (SQLSTATE {e.SqlState})", e);
        }
        catch (Exception e) when (e is SocketException or TimeoutException or IOException)
        {
            // A host name that cannot be resolved now, a handshake that does not end.
            throw PostgresErrors.Transient(PostgresTrouble.Away, e);
        }
    }

    /// <summary>
    /// After a conflict the work runs again, later each time, at random. After a broken connection it does once: those in the pool may all
    /// be of a server that has restarted since. What is busy is left to whoever asked.
    /// </summary>
    private async ValueTask<bool> MayRunAgainAsync(PostgresTrouble trouble, int run)
    {
        switch (trouble)
        {
            case PostgresTrouble.Conflict when run < MostRuns:
                await Task.Delay(Random.Shared.Next(1, 4 << run)).ConfigureAwait(false);
                return true;
            case PostgresTrouble.Away when run == 1:
                _source.Clear();
                return true;
            default:
                return false;
        }
    }
}
