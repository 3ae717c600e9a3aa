using System.Text;
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
/// The search projection in memory, at one moment: a block of crates, and the few that have changed since it was laid out. A word may stand
/// anywhere in a crate's words, so a search looks through all of them.
/// </summary>
public sealed class SearchIndex
{
    private const long First = long.MinValue + 1;
    private const int MostChanged = 2000;

    /// <summary>One without crates.</summary>
    public static readonly SearchIndex Empty = new(new SearchBlock([]), new Dictionary<long, SearchEntry?>());

    private readonly SearchBlock _block;
    private readonly Dictionary<long, SearchEntry?> _changed;

    private SearchIndex(SearchBlock block, Dictionary<long, SearchEntry?> changed) => (_block, _changed) = (block, changed);

    /// <summary>The index after some crates changed.</summary>
    /// <param name="changed">Each changed crate's row, and its entry; null: it is not shown any more.</param>
    public SearchIndex With(IReadOnlyDictionary<long, SearchEntry?> changed)
    {
        ArgumentNullException.ThrowIfNull(changed);
        var all = new Dictionary<long, SearchEntry?>(_changed);
        foreach (var (id, entry) in changed) all[id] = entry;
        if (all.Count <= MostChanged) return new SearchIndex(_block, all);
        var entries = _block.Without(all).Concat(all.Values.OfType<SearchEntry>()).ToArray();
        Array.Sort(entries, static (one, other) => string.CompareOrdinal(one.Canonical, other.Canonical));
        return new SearchIndex(new SearchBlock(entries), []);
    }

    /// <summary>Finds a page.</summary>
    /// <param name="search">What is asked for.</param>
    /// <param name="owned">The crates that the account asked for owns; null: no account is asked for.</param>
    /// <param name="paging">Which part.</param>
    public SearchHits Find(SearchQuery search, IReadOnlySet<long>? owned, Paging paging)
    {
        ArgumentNullException.ThrowIfNull(search);
        ArgumentNullException.ThrowIfNull(paging);
        var best = new Best(search, paging);
        var needle = search.Needles.MaxBy(static word => word.Length);
        for (var i = 0; i < _block.Entries.Length; i++)
        {
            if (needle is not null && (i = _block.Next(i, needle)) == _block.Entries.Length) break;
            var entry = _block.Entries[i];
            var words = _block.WordsOf(i);
            if (search.Matches(entry, words) && owned?.Contains(entry.Id) != false && !_changed.ContainsKey(entry.Id)) best.Add(entry, words);
        }

        foreach (var entry in _changed.Values)
        {
            if (entry is not null && search.Matches(entry, entry.Words) && owned?.Contains(entry.Id) != false) best.Add(entry, entry.Words);
        }

        return best.ToHits();
    }

    /// <summary>The best of what was seen so far, the worst of them on top: it makes room for a better one.</summary>
    private sealed class Best(SearchQuery search, Paging paging)
    {
        private readonly PriorityQueue<SearchHit, (long, string)> _hits = new(Comparer<(long Place, string Canonical)>.Create(static (one, other) => Order(other, one)));
        private readonly byte[] _exact = Encoding.UTF8.GetBytes(search.Exact);
        private readonly long _wanted = paging.Offset + paging.PerPage;
        private long _total;

        public void Add(SearchEntry entry, ReadOnlySpan<byte> words)
        {
            _total++;
            var isExact = search.Exact.Length > 0 && entry.Canonical == search.Exact;
            var place = (isExact ? First : PlaceOf(entry, words), entry.Canonical);
            if (paging.Seek is { } seek && Order(place, (seek.Rank, seek.Key)) <= 0) return;
            if (_hits.Count == _wanted)
            {
                if (!_hits.TryPeek(out _, out var worst) || Order(place, worst) >= 0) return;
                _hits.Dequeue();
            }

            _hits.Enqueue(new SearchHit(entry, isExact, new SeekPoint(place.Item1, place.Canonical)), place);
        }

        public SearchHits ToHits()
        {
            var hits = new SearchHit[_hits.Count];
            for (var i = hits.Length - 1; i >= 0; i--) hits[i] = _hits.Dequeue();
            return new SearchHits(_total, hits.Length <= paging.Offset ? [] : hits[(int)paging.Offset..]);
        }

        private long PlaceOf(SearchEntry entry, ReadOnlySpan<byte> words) => search.Sort switch
        {
            SearchSort.Relevance => words[..Math.Min(words.Length, entry.Canonical.Length)].IndexOf(_exact) switch { 0 => 1, > 0 => 2, _ => 3 },
            SearchSort.RecentUpdates => -entry.UpdatedAt,
            SearchSort.New => -entry.CreatedAt,
            _ => 0,
        };

        private static int Order((long Place, string Canonical) one, (long Place, string Canonical) other) =>
            one.Place != other.Place ? one.Place.CompareTo(other.Place) : string.CompareOrdinal(one.Canonical, other.Canonical);
    }
}
