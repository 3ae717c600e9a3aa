using System.Buffers;
using System.Data.Common;
using System.Globalization;
using System.Text;
using Npgsql;
using Pipeline.Registry.Telemetry;

namespace Pipeline.Registry.Database;

/// <summary>
/// Runs plain SQL on one connection. Parameters are <c>$1</c>, <c>$2</c> … on both engines; rows are read by position.
/// Prepared commands are kept per connection: preparing costs SQLite more than running (ops/decisions.md).
/// </summary>
public sealed class Statements(DbConnection connection, Dialect dialect, CancellationToken cancellationToken = default) : IDisposable
{
    // PostgreSQL takes no NUL in a text, and its driver no half of a surrogate pair; SQLite takes both.
    private static readonly SearchValues<char> Suspicious = SearchValues.Create(['\0', .. Enumerable.Range(0xD800, 0x800).Select(static c => (char)c)]);

    // SQL texts are constants of the program, so the number of commands kept is bounded by it.
    private readonly Dictionary<string, DbCommand> _prepared = new(StringComparer.Ordinal);

    /// <summary>The words in which the engines differ.</summary>
    public Dialect Dialect => dialect;

    /// <summary>Runs a statement and returns how many rows it changed.</summary>
    public async ValueTask<int> ExecuteAsync(string sql, params object?[] parameters)
    {
        var command = Command(sql, parameters);
        return await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Runs a statement once for each set of parameters, over a network in one round trip. Returns how many rows each run changed.</summary>
    public async ValueTask<int[]> ExecuteEachAsync(string sql, IReadOnlyList<object?[]> parameters)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        var changed = new int[parameters.Count];
        if (connection is NpgsqlConnection postgres && parameters.Count > 1)
        {
            var batch = postgres.CreateBatch();
            await using var _ = batch.ConfigureAwait(false);
            foreach (var set in parameters)
            {
                var command = new NpgsqlBatchCommand(sql);
                foreach (var value in set) command.Parameters.Add(new NpgsqlParameter { Value = Value(value) });
                batch.BatchCommands.Add(command);
            }

            PipelineMeter.Statements.Add(changed.Length);
            await batch.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
            for (var i = 0; i < changed.Length; i++) changed[i] = (int)batch.BatchCommands[i].Rows;
            return changed;
        }

        for (var i = 0; i < changed.Length; i++) changed[i] = await ExecuteAsync(sql, parameters[i]).ConfigureAwait(false);
        return changed;
    }

    /// <summary>
    /// Runs a part of a transaction on a savepoint of its own: when it fails, what it wrote is taken back, and the transaction goes on. Trouble
    /// of the database itself is thrown: it is no failure of this part.
    /// </summary>
    /// <returns>What the part failed with; null: it did not.</returns>
    public async ValueTask<Exception?> TryAsync(Func<ValueTask> part)
    {
        ArgumentNullException.ThrowIfNull(part);
        await ExecuteAsync("SAVEPOINT part").ConfigureAwait(false);
        Exception? failure = null;
        try
        {
            await part().ConfigureAwait(false);
        }
        catch (Exception e) when (!dialect.IsTrouble(e))
        {
            failure = e;
            await ExecuteAsync("ROLLBACK TO part").ConfigureAwait(false);
        }

        await ExecuteAsync("RELEASE part").ConfigureAwait(false);
        return failure;
    }

    /// <summary>Runs a query and returns all its rows.</summary>
    public async ValueTask<List<T>> QueryAsync<T>(string sql, Func<Row, T> read, params object?[] parameters)
    {
        var command = Command(sql, parameters);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        var rows = new List<T>();
        var row = new Row(reader);
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false)) rows.Add(read(row));
        return rows;
    }

    /// <summary>Runs a query and returns its first row, or the type's default when there is none.</summary>
    public async ValueTask<T?> FirstAsync<T>(string sql, Func<Row, T> read, params object?[] parameters)
    {
        var command = Command(sql, parameters);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        return await reader.ReadAsync(cancellationToken).ConfigureAwait(false) ? read(new Row(reader)) : default;
    }

    /// <summary>Runs a query whose single value is an integer; null when there is no row or the value is null.</summary>
    public ValueTask<long?> LongAsync(string sql, params object?[] parameters) => FirstAsync(sql, static row => row.LongOrNull(0), parameters);

    /// <summary>Runs a query whose single value is a text; null when there is no row or the value is null.</summary>
    public ValueTask<string?> TextAsync(string sql, params object?[] parameters) => FirstAsync(sql, static row => row.TextOrNull(0), parameters);

    /// <summary>The database's clock, in UTC microseconds.</summary>
    public async ValueTask<long> NowAsync() => (await LongAsync("SELECT now_us()").ConfigureAwait(false))!.Value;

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var command in _prepared.Values) command.Dispose();
        _prepared.Clear();
    }

    private DbCommand Command(string sql, object?[] parameters)
    {
        PipelineMeter.Statements.Add(1);
        if (!_prepared.TryGetValue(sql, out var command))
        {
            command = connection.CreateCommand();
#pragma warning disable CA2100 // the texts are constants of this program; values travel as parameters only
            command.CommandText = sql;
#pragma warning restore CA2100
            for (var i = 0; i < parameters.Length; i++)
            {
                var parameter = command.CreateParameter();
                // SQLite knows `$1` by that name, PostgreSQL by its position.
                if (dialect == Dialect.Sqlite) parameter.ParameterName = string.Create(CultureInfo.InvariantCulture, $"${i + 1}");
                command.Parameters.Add(parameter);
            }

            _prepared.Add(sql, command);
        }

        if (command.Parameters.Count != parameters.Length)
            throw new InvalidOperationException($"{command.Parameters.Count} parameters were prepared, {parameters.Length} given: {sql}");
        for (var i = 0; i < parameters.Length; i++) command.Parameters[i].Value = Value(parameters[i]);
        return command;
    }

    private object Value(object? parameter) => parameter switch
    {
        null => DBNull.Value,
        string text when dialect == Dialect.Postgres && text.AsSpan().ContainsAny(Suspicious) => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text)).Replace('\0', '\uFFFD'),
        _ => parameter,
    };
}
