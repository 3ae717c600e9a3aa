using Pipeline.Registry.Failures;

namespace Pipeline.Registry.Database;

/// <summary>
/// The truth. Two engines answer to it: SQLite (standalone, one writer that groups transactions into commits) and PostgreSQL.
/// </summary>
public interface IDatabase
{
    /// <summary>The words in which the two engines differ.</summary>
    Dialect Dialect { get; }

    /// <summary>
    /// A number that grows with every commit of this process, before any caller learns of it: while it stands still, what was read holds for
    /// all that this process has answered.
    /// </summary>
    long Commits { get; }

    /// <summary>Runs reads outside any write transaction. Each statement sees what was committed before it began.</summary>
    /// <exception cref="TransientException">The database is away or busy.</exception>
    ValueTask<T> ReadAsync<T>(Func<Statements, ValueTask<T>> read, CancellationToken cancellationToken = default);

    /// <summary>
    /// Runs one transaction and returns once it is durable. The work may run again from its start after a serialisation failure,
    /// so it must have no effect but its statements. An exception rolls back this work alone.
    /// </summary>
    /// <exception cref="TransientException">The database is away or busy; nothing was written.</exception>
    ValueTask<T> WriteAsync<T>(Func<Statements, ValueTask<T>> work, CancellationToken cancellationToken = default);

    /// <summary>
    /// Runs one transaction as <see cref="WriteAsync"/> does, and may return before it is durable: then it becomes so together with the next
    /// <see cref="WriteAsync"/> that begins after it, and a power cut before that takes it back. For steps that are done again from what came
    /// before them, and whose effects are answered to nobody.
    /// </summary>
    /// <exception cref="TransientException">The database is away or busy; nothing was written.</exception>
    ValueTask<T> WriteUnsyncedAsync<T>(Func<Statements, ValueTask<T>> work, CancellationToken cancellationToken = default) => WriteAsync(work, cancellationToken);
}
