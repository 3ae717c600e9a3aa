using Pipeline.Registry.Database;
using Pipeline.Registry.Failures;

namespace Pipeline.Workers.Tests.Harness;

/// <summary>A database that is away on demand, in front of a real one.</summary>
internal sealed class FaultyDatabase(IDatabase inner) : IDatabase, IDisposable, IAsyncDisposable
{
    private int _writesAway;
    private int _writesLeft = int.MaxValue;

    /// <summary>How many writes from now on find it away.</summary>
    public int WritesAway
    {
        set => Volatile.Write(ref _writesAway, value);
    }

    /// <summary>How many writes from now on still pass; the one behind them finds it away, those after that do not.</summary>
    public int AwayAfter
    {
        set => Volatile.Write(ref _writesLeft, value);
    }

    public Dialect Dialect => inner.Dialect;

    public long Commits => inner.Commits;

    public ValueTask<T> ReadAsync<T>(Func<Statements, ValueTask<T>> read, CancellationToken cancellationToken = default) => inner.ReadAsync(read, cancellationToken);

    public ValueTask<T> WriteAsync<T>(Func<Statements, ValueTask<T>> work, CancellationToken cancellationToken = default) =>
        (Volatile.Read(ref _writesLeft) < int.MaxValue && Interlocked.Decrement(ref _writesLeft) == -1) || (Volatile.Read(ref _writesAway) > 0 && Interlocked.Decrement(ref _writesAway) >= 0)
            ? throw new TransientException("database-away", "the database is away")
            : inner.WriteAsync(work, cancellationToken);

    public void Dispose() => (inner as IDisposable)?.Dispose();

    public ValueTask DisposeAsync() => inner is IAsyncDisposable disposable ? disposable.DisposeAsync() : ValueTask.CompletedTask;
}
