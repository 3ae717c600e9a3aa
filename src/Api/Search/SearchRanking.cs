using Pipeline.Api.Http;

namespace Pipeline.Api.Search;

/// <summary>
/// Puts what a search found in its order, as far as it is read: first the crate of the name; by relevance then names that begin with the query, names
/// that have it somewhere, and the rest, each in the order of names.
/// </summary>
/// <param name="search">What is asked for.</param>
/// <param name="seek">Behind which place to begin; null: at the first.</param>
/// <param name="entries">The crates by slot.</param>
/// <param name="terms">Their terms.</param>
internal sealed class SearchRanking(SearchQuery search, SeekPoint? seek, SearchEntry?[] entries, TermTable terms)
{
    private const long First = long.MinValue + 1;
    private const long Beginning = 1;
    private const long Within = 2;
    private const long Elsewhere = 3;

    // So few are sorted sooner than they are met on a walk through all crates.
    private const int Few = 256;

    /// <summary>The hits in order, from the seek point on. They are made as they are read.</summary>
    /// <param name="found">What was found; it is used up.</param>
    /// <param name="total">How many that are.</param>
    /// <param name="byName">All crates by name.</param>
    /// <param name="order">All crates as the search sorts them.</param>
    public IEnumerable<SearchHit> InOrder(SlotBits found, int total, SlotOrder byName, SlotOrder order)
    {
        foreach (var slot in Named(found, byName, isExact: true))
        {
            if (IsBehind(First, entries[slot]!)) yield return Hit(slot, First);
            found.Remove(slot);
            total--;
        }

        foreach (var hit in search.Sort == SearchSort.Relevance ? ByRelevance(found, total, byName) : Walk(found, total, order, TimeOf)) yield return hit;
    }

    private IEnumerable<SearchHit> ByRelevance(SlotBits found, int total, SlotOrder byName)
    {
        foreach (var slot in Named(found, byName, isExact: false))
        {
            if (IsBehind(Beginning, entries[slot]!)) yield return Hit(slot, Beginning);
            found.Remove(slot);
            total--;
        }

        using var within = new SlotBits(entries.Length);
        FindWithin(within, found);
        var count = within.Count();
        foreach (var hit in Walk(within, count, byName, static _ => Within)) yield return hit;
        found.Except(within);
        foreach (var hit in Walk(found, total - count, byName, static _ => Elsewhere)) yield return hit;
    }

    /// <summary>What was found and has the query as its name, or at the name's beginning, by name.</summary>
    private IEnumerable<int> Named(SlotBits found, SlotOrder byName, bool isExact)
    {
        if (search.Exact.Length == 0) yield break;
        foreach (var slot in byName.From(slot => string.CompareOrdinal(entries[slot]!.Canonical, search.Exact) >= 0))
        {
            var canonical = entries[slot]!.Canonical;
            if (isExact ? canonical != search.Exact : !canonical.StartsWith(search.Exact, StringComparison.Ordinal)) yield break;
            if (found.Has(slot)) yield return slot;
        }
    }

    private void FindWithin(SlotBits within, SlotBits found)
    {
        var exact = SearchEntry.Fold(search.Exact);
        var isSure = terms.Find(exact, inNames: true, within);
        within.Intersect(found);
        if (isSure) return;
        foreach (var slot in within.Slots())
        {
            if (entries[slot]!.Words.AsSpan(0, entries[slot]!.NameLength).IndexOf(exact) < 0) within.Remove(slot);
        }
    }

    private IEnumerable<SearchHit> Walk(SlotBits found, int count, SlotOrder order, Func<SearchEntry, long> rankOf)
    {
        if (count <= Few)
        {
            var slots = found.Slots().ToArray();
            order.Sort(slots);
            foreach (var slot in slots)
            {
                if (IsBehind(rankOf(entries[slot]!), entries[slot]!)) yield return Hit(slot, rankOf(entries[slot]!));
            }

            yield break;
        }

        foreach (var slot in order.From(slot => IsBehind(rankOf(entries[slot]!), entries[slot]!)))
        {
            if (!found.Has(slot)) continue;
            yield return Hit(slot, rankOf(entries[slot]!));
            if (--count == 0) yield break;
        }
    }

    private long TimeOf(SearchEntry entry) => search.Sort switch
    {
        SearchSort.RecentUpdates => -entry.UpdatedAt,
        SearchSort.New => -entry.CreatedAt,
        _ => 0,
    };

    private bool IsBehind(long rank, SearchEntry entry) =>
        seek is null || (rank != seek.Rank ? rank > seek.Rank : string.CompareOrdinal(entry.Canonical, seek.Key) > 0);

    private SearchHit Hit(int slot, long rank)
    {
        var entry = entries[slot]!;
        return new SearchHit(entry, rank == First, new SeekPoint(rank, entry.Canonical));
    }
}
