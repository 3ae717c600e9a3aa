using Pipeline.Api.Http;

namespace Pipeline.Api.Search;

/// <summary>A crate that a search found.</summary>
/// <param name="Entry">The crate.</param>
/// <param name="IsExact">Whether its name is the query.</param>
/// <param name="Place">Where it stands in the order.</param>
public readonly record struct SearchHit(SearchEntry Entry, bool IsExact, SeekPoint Place);

/// <summary>What a search found.</summary>
/// <param name="Total">How many crates match.</param>
/// <param name="Hits">Those of the page, in order.</param>
public sealed record SearchHits(long Total, IReadOnlyList<SearchHit> Hits);

/// <summary>
/// The search projection in memory, at one moment: crates in the order of their canonical names. A word may stand anywhere in a crate's words,
/// so each search looks at all of them: some nanoseconds a crate, and no other structure to keep up to date.
/// </summary>
public sealed class SearchIndex
{
    private const long First = long.MinValue + 1;

    /// <summary>One without crates.</summary>
    public static readonly SearchIndex Empty = new([]);

    private readonly SearchEntry[] _entries;

    private SearchIndex(SearchEntry[] entries) => _entries = entries;

    /// <summary>How many crates it has.</summary>
    public int Count => _entries.Length;

    /// <summary>The index after some crates changed.</summary>
    /// <param name="changed">Each changed crate's row, and its entry; null: it is not shown any more.</param>
    public SearchIndex With(IReadOnlyDictionary<long, SearchEntry?> changed)
    {
        ArgumentNullException.ThrowIfNull(changed);
        if (changed.Count == 0) return this;
        var fresh = changed.Values.OfType<SearchEntry>().ToArray();
        Array.Sort(fresh, static (one, other) => string.CompareOrdinal(one.Canonical, other.Canonical));
        var merged = new List<SearchEntry>(_entries.Length + fresh.Length);
        var next = 0;
        foreach (var entry in _entries)
        {
            if (changed.ContainsKey(entry.Id)) continue;
            while (next < fresh.Length && string.CompareOrdinal(fresh[next].Canonical, entry.Canonical) < 0) merged.Add(fresh[next++]);
            merged.Add(entry);
        }

        merged.AddRange(fresh.AsSpan(next));
        return new SearchIndex([.. merged]);
    }

    /// <summary>Finds a page.</summary>
    /// <param name="search">What is asked for.</param>
    /// <param name="owned">The crates that the account asked for owns; null: no account is asked for.</param>
    /// <param name="paging">Which part.</param>
    public SearchHits Find(SearchQuery search, IReadOnlySet<long>? owned, Paging paging)
    {
        ArgumentNullException.ThrowIfNull(search);
        ArgumentNullException.ThrowIfNull(paging);
        var wanted = paging.Offset + paging.PerPage;
        // The best of what was seen so far, the worst of them on top: it makes room for a better one.
        var best = new PriorityQueue<SearchHit, (long, string)>(Comparer<(long Place, string Canonical)>.Create(static (one, other) => Order(other, one)));
        long total = 0;
        foreach (var entry in _entries)
        {
            if (!search.Matches(entry) || owned?.Contains(entry.Id) == false) continue;
            total++;
            var isExact = search.Exact.Length > 0 && entry.Canonical == search.Exact;
            var place = (isExact ? First : PlaceOf(search, entry), entry.Canonical);
            if (paging.Seek is { } seek && Order(place, (seek.Rank, seek.Key)) <= 0) continue;
            if (best.Count == wanted)
            {
                if (!best.TryPeek(out _, out var worst) || Order(place, worst) >= 0) continue;
                best.Dequeue();
            }

            best.Enqueue(new SearchHit(entry, isExact, new SeekPoint(place.Item1, place.Canonical)), place);
        }

        var hits = new SearchHit[best.Count];
        for (var i = hits.Length - 1; i >= 0; i--) hits[i] = best.Dequeue();
        return new SearchHits(total, hits.Length <= paging.Offset ? [] : hits[(int)paging.Offset..]);
    }

    private static long PlaceOf(SearchQuery search, SearchEntry entry) => search.Sort switch
    {
        SearchSort.Relevance => entry.Canonical.StartsWith(search.Exact, StringComparison.Ordinal) ? 1 : entry.Canonical.Contains(search.Exact, StringComparison.Ordinal) ? 2 : 3,
        SearchSort.RecentUpdates => -entry.UpdatedAt,
        SearchSort.New => -entry.CreatedAt,
        _ => 0,
    };

    private static int Order((long Place, string Canonical) one, (long Place, string Canonical) other) =>
        one.Place != other.Place ? one.Place.CompareTo(other.Place) : string.CompareOrdinal(one.Canonical, other.Canonical);
}
