using System.Runtime.InteropServices;
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
/// The search projection in memory, a slot for each crate. What a search asks for becomes sets of slots, which are intersected; the page is then read off
/// the crates in their order. So a search costs by what it finds and shows, and a change by the one crate's words, however many crates there are.
/// Of 150,000 crates with 150 bytes of text each it takes 120 MiB, two thirds of them for the rows themselves; an empty index takes next to nothing.
/// </summary>
public sealed class SearchIndex : IDisposable
{
    // A change waits for the searches that run, and they for it: so few crates at a time that nobody notices.
    private const int MostAtOnce = 100;

    private readonly ReaderWriterLockSlim _lock = new();
    private readonly Dictionary<long, int> _slotOf = [];
    private readonly Stack<int> _free = new();
    private readonly TermTable _terms = new();
    private readonly Dictionary<string, SlotSet> _byCategories = new(StringComparer.Ordinal);
    private readonly SlotOrder _byName;
    private readonly SlotOrder _byCreation;
    private readonly SlotOrder _byUpdate;
    private SearchEntry?[] _entries = [];
    private SlotSet _all;
    private SlotSet _inForce;

    /// <summary>An index without crates.</summary>
    public SearchIndex()
    {
        _byName = new SlotOrder((one, other) => ByName(_entries[one]!, _entries[other]!));
        _byCreation = new SlotOrder((one, other) => By(_entries[other]!.CreatedAt, _entries[one]!.CreatedAt, one, other));
        _byUpdate = new SlotOrder((one, other) => By(_entries[other]!.UpdatedAt, _entries[one]!.UpdatedAt, one, other));
    }

    /// <summary>Takes changed crates in.</summary>
    /// <param name="changed">Each changed crate's row, and its entry; null: it is not shown any more.</param>
    public void Apply(IEnumerable<KeyValuePair<long, SearchEntry?>> changed)
    {
        foreach (var some in changed.Chunk(MostAtOnce))
        {
            _lock.EnterWriteLock();
            try
            {
                foreach (var (id, entry) in some) Apply(id, entry);
            }
            finally
            {
                _lock.ExitWriteLock();
            }
        }
    }

    /// <summary>Finds a page.</summary>
    /// <param name="search">What is asked for.</param>
    /// <param name="owned">The crates that the account asked for owns; null: no account is asked for.</param>
    /// <param name="paging">Which part.</param>
    public SearchHits Find(SearchQuery search, IReadOnlySet<long>? owned, Paging paging)
    {
        ArgumentNullException.ThrowIfNull(search);
        ArgumentNullException.ThrowIfNull(paging);
        _lock.EnterReadLock();
        try
        {
            using var found = new SlotBits(_entries.Length);
            Select(search, owned, found);
            var total = found.Count();
            var hits = new List<SearchHit>();
            var skipped = 0L;
            foreach (var hit in new SearchRanking(search, paging.Seek, _entries, _terms).InOrder(found, total, _byName, OrderOf(search.Sort)))
            {
                if (skipped++ < paging.Offset) continue;
                hits.Add(hit);
                if (hits.Count == paging.PerPage) break;
            }

            return new SearchHits(total, hits);
        }
        finally
        {
            _lock.ExitReadLock();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _lock.Dispose();

    private static int ByName(SearchEntry one, SearchEntry other)
    {
        var names = string.CompareOrdinal(one.Canonical, other.Canonical);
        // Two crates may have one name for a moment, when one takes the other's place.
        return names != 0 ? names : one.Id.CompareTo(other.Id);
    }

    private int By(long oneTime, long otherTime, int one, int other) => oneTime != otherTime ? oneTime.CompareTo(otherTime) : ByName(_entries[one]!, _entries[other]!);

    private SlotOrder OrderOf(SearchSort sort) => sort switch
    {
        SearchSort.New => _byCreation,
        SearchSort.RecentUpdates => _byUpdate,
        _ => _byName,
    };

    private void Select(SearchQuery search, IReadOnlySet<long>? owned, SlotBits found)
    {
        (search.IncludeYanked ? _all : _inForce).AddTo(found.Span);
        using var some = new SlotBits(_entries.Length);
        var isSure = true;
        foreach (var needle in search.Needles)
        {
            isSure &= _terms.Find(needle, inNames: false, some);
            Narrow(found, some);
        }

        if (search.Category.Length > 0)
        {
            foreach (var (categories, slots) in _byCategories)
            {
                if (search.IsIn(categories)) slots.AddTo(some.Span);
            }

            Narrow(found, some);
        }

        if (search.Letter.Length > 0)
        {
            AddLetter(search.Letter[0], some);
            Narrow(found, some);
        }

        if (search.Ids.Count > 0)
        {
            foreach (var name in search.Ids) AddName(name, some);
            Narrow(found, some);
        }

        if (owned is not null)
        {
            foreach (var id in owned)
            {
                if (_slotOf.TryGetValue(id, out var slot)) some.Add(slot);
            }

            Narrow(found, some);
        }

        if (!isSure) Verify(search, found);
    }

    /// <summary>Looks at those of which only the pieces of what is asked for are known.</summary>
    private void Verify(SearchQuery search, SlotBits found)
    {
        var needles = search.Needles.ToArray();
        foreach (var slot in found.Slots())
        {
            if (!HasAll(_entries[slot]!.Words, needles) || !search.Matches(_entries[slot]!)) found.Remove(slot);
        }
    }

    private static bool HasAll(ReadOnlySpan<byte> words, byte[][] needles)
    {
        foreach (var needle in needles)
        {
            if (words.IndexOf(needle) < 0) return false;
        }

        return true;
    }

    private static void Narrow(SlotBits found, SlotBits some)
    {
        found.Intersect(some);
        some.Span.Clear();
    }

    private void AddLetter(char letter, SlotBits some)
    {
        // Names are in the order of their canonical spelling, in which a hyphen is an underscore.
        var first = (letter == '-' ? '_' : letter).ToString();
        foreach (var slot in _byName.From(slot => string.CompareOrdinal(_entries[slot]!.Canonical, first) >= 0))
        {
            var entry = _entries[slot]!;
            if (!entry.Canonical.StartsWith(first[0])) return;
            if (SearchQuery.HasLetter(entry, letter)) some.Add(slot);
        }
    }

    private void AddName(string name, SlotBits some)
    {
        var canonical = Contracts.CanonicalName.Of(name).Text;
        foreach (var slot in _byName.From(slot => string.CompareOrdinal(_entries[slot]!.Canonical, canonical) >= 0))
        {
            if (_entries[slot]!.Canonical != canonical) return;
            if (_entries[slot]!.Name == name) some.Add(slot);
        }
    }

    private void Apply(long id, SearchEntry? entry)
    {
        var isKnown = _slotOf.TryGetValue(id, out var slot);
        if (entry is null && !isKnown) return;
        if (!isKnown) slot = NewSlot(id);
        var old = _entries[slot];
        if (old is not null) Leave(slot, old);
        _entries[slot] = entry;
        _terms.Change(slot, _entries.Length, old is null ? [] : old.Words, old?.NameLength ?? 0, entry is null ? [] : entry.Words, entry?.NameLength ?? 0);
        if (entry is not null)
        {
            Enter(slot, entry);
            return;
        }

        _slotOf.Remove(id);
        _free.Push(slot);
    }

    private int NewSlot(long id)
    {
        if (!_free.TryPop(out var slot)) slot = _slotOf.Count;
        if (slot == _entries.Length) Array.Resize(ref _entries, Math.Max(64, slot + (slot / 4)));
        _slotOf.Add(id, slot);
        return slot;
    }

    private void Enter(int slot, SearchEntry entry)
    {
        _all.Add(slot, _entries.Length);
        if (entry.InForce) _inForce.Add(slot, _entries.Length);
        CollectionsMarshal.GetValueRefOrAddDefault(_byCategories, entry.Categories, out _).Add(slot, _entries.Length);
        _byName.Add(slot);
        _byCreation.Add(slot);
        _byUpdate.Add(slot);
    }

    private void Leave(int slot, SearchEntry entry)
    {
        _all.Remove(slot);
        if (entry.InForce) _inForce.Remove(slot);
        ref var categories = ref CollectionsMarshal.GetValueRefOrAddDefault(_byCategories, entry.Categories, out _);
        categories.Remove(slot);
        if (categories.Count == 0) _byCategories.Remove(entry.Categories);
        _byName.Remove(slot);
        _byCreation.Remove(slot);
        _byUpdate.Remove(slot);
    }
}
