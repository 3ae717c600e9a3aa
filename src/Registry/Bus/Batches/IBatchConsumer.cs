namespace Pipeline.Registry.Bus.Batches;

/// <summary>
/// A worker of a stage that works on what waits together: it reads all rows in one query, does its work, writes the outcomes in one
/// transaction with a savepoint a key, and rings the next stage once.
/// </summary>
/// <typeparam name="TKey">The id of a row.</typeparam>
public interface IBatchConsumer<TKey>
    where TKey : notnull
{
    /// <summary>Works on a batch. A key that fails is noted on its item (<see cref="StageItem{TKey}.Fail"/>); an exception fails all keys that have not.</summary>
    Task ConsumeAsync(StageBatch<TKey> batch, CancellationToken cancellationToken);
}
