namespace Pipeline.Registry.Cdn;

/// <summary>Cuts purges into requests.</summary>
internal static class Batches
{
    /// <summary>The purges by key, hard and soft ones apart, in batches of so many keys and bytes.</summary>
    public static IEnumerable<IReadOnlyList<PurgeItem>> OfKeys(IReadOnlyList<PurgeItem> items, int most, int mostBytes)
    {
        foreach (var hard in new[] { true, false })
        {
            var keys = items.Where(item => item.Scope == PurgeScope.Key && item.Hard == hard);
            foreach (var batch in Of(keys, most, mostBytes, static item => (1, item.Value.Length + 1))) yield return batch;
        }
    }

    /// <summary>Batches within a count and a size; an item that is too large alone stands alone.</summary>
    public static IEnumerable<IReadOnlyList<PurgeItem>> Of(IEnumerable<PurgeItem> items, int most, int mostBytes, Func<PurgeItem, (int Count, int Bytes)> cost)
    {
        var (batch, count, bytes) = (new List<PurgeItem>(), 0, 0);
        foreach (var item in items)
        {
            var (more, size) = cost(item);
            if (batch.Count > 0 && (count + more > most || bytes + size > mostBytes))
            {
                yield return batch;
                (batch, count, bytes) = ([], 0, 0);
            }

            batch.Add(item);
            (count, bytes) = (count + more, bytes + size);
        }

        if (batch.Count > 0) yield return batch;
    }
}
