namespace Pipeline.Registry.Bus.Batches;

/// <summary>What waited for a stage when it was free: keys that are worked on together, each once.</summary>
/// <typeparam name="TKey">The id of a row.</typeparam>
public sealed class StageBatch<TKey>
    where TKey : notnull
{
    private readonly Action _free;

    internal StageBatch(IReadOnlyList<StageItem<TKey>> items, Action free) => (Items, _free) = (items, free);

    /// <summary>The keys, in the order in which they were rung.</summary>
    public IReadOnlyList<StageItem<TKey>> Items { get; }

    /// <summary>Those that have not failed.</summary>
    public IEnumerable<StageItem<TKey>> Good => Items.Where(static item => item.Failure is null);

    /// <summary>Lets the next batch begin, while this one waits for something that costs nothing, such as a sync of the disk.</summary>
    public void LetNextBegin() => _free();
}
