using System.Runtime.InteropServices;

namespace Pipeline.Api.Search;

/// <summary>
/// Which crates have which terms, in all their words and in their names. A search finds the terms that have a piece by the piece's trigrams, and then
/// the crates by those terms. Pieces of one or two bytes are in too many terms for that, so each has its own crates.
/// </summary>
internal sealed class TermTable
{
    private const int Trigram = 3;
    private const int Singles = 256;

    private readonly Dictionary<byte[], int> _numbers = new(TermComparer.Instance);
    private readonly Dictionary<byte[], int>.AlternateLookup<ReadOnlySpan<byte>> _byBytes;
    private readonly Stack<int> _free = new();
    private readonly Dictionary<int, List<int>> _byTrigram = [];
    private readonly Pieces _inWords = new();
    private readonly Pieces _inNames = new();

    // Used anew for each change, which are made one at a time.
    private readonly Held _words = new();
    private readonly Held _name = new();
    private readonly Held _oldWords = new();
    private readonly Held _oldName = new();
    private readonly HashSet<int> _trigrams = [];
    private byte[][] _terms = [];

    /// <summary>An empty table.</summary>
    public TermTable() => _byBytes = _numbers.GetAlternateLookup<ReadOnlySpan<byte>>();

    /// <summary>Makes a slot's words those of another text. What both have is not touched.</summary>
    /// <param name="slot">The slot.</param>
    /// <param name="capacity">How many slots there can be at present.</param>
    /// <param name="old">The words before; empty: there were none.</param>
    /// <param name="oldName">How much of them was the name.</param>
    /// <param name="words">The words; empty: there are none any more.</param>
    /// <param name="name">How much of them is the name.</param>
    public void Change(int slot, int capacity, ReadOnlySpan<byte> old, int oldName, ReadOnlySpan<byte> words, int name)
    {
        // Most changes are new versions, which say what the ones before said.
        if (oldName == name && old.SequenceEqual(words)) return;
        // The new first: a term that stays must not be given up in between.
        Read(words, name, add: true, _words, _name);
        Read(old, oldName, add: false, _oldWords, _oldName);
        Change(_inWords, slot, capacity, _oldWords, _words);
        Change(_inNames, slot, capacity, _oldName, _name);
        foreach (var number in _oldWords.Terms)
        {
            if (_inWords.OfTerm[number].Count == 0) GiveUp(number);
        }
    }

    /// <summary>Adds the slots that may have a text somewhere in their words, or in their names; all that do are among them.</summary>
    /// <returns>Whether all of them do.</returns>
    public bool Find(ReadOnlySpan<byte> text, bool inNames, SlotBits found)
    {
        var pieces = inNames ? _inNames : _inWords;
        if (text.Length <= 2)
        {
            pieces.AddShort(text, found.Span);
            return true;
        }

        if (Term.TryNext(text, 0, out var term) && term.Length == text.Length)
        {
            AddTerms(pieces, term, text, found);
            return true;
        }

        FindAll(pieces, text, found);
        return false;
    }

    /// <summary>The slots that have every piece of a text: its terms, and each two bytes of which one is between terms.</summary>
    private void FindAll(Pieces pieces, ReadOnlySpan<byte> text, SlotBits found)
    {
        found.Span.Fill(ulong.MaxValue);
        using var one = new SlotBits(found.Span.Length * 64);
        for (var at = 0; at + 2 <= text.Length; at++)
        {
            if (Term.Has(text[at]) && Term.Has(text[at + 1])) continue;
            pieces.AddShort(text.Slice(at, 2), one.Span);
            Narrow(found, one);
        }

        for (var at = 0; Term.TryNext(text, at, out var term); at = term.Start + term.Length)
        {
            // A shorter one is told by the pieces around it, and by the look at those that are left.
            if (term.Length < Trigram) continue;
            AddTerms(pieces, term, text, one);
            Narrow(found, one);
        }
    }

    private static void Narrow(SlotBits found, SlotBits one)
    {
        found.Intersect(one);
        one.Span.Clear();
    }

    private void AddTerms(Pieces pieces, Term piece, ReadOnlySpan<byte> text, SlotBits found)
    {
        var own = piece.Of(text);
        foreach (var number in CollectionsMarshal.AsSpan(Rarest(own)))
        {
            if (own.Length == Trigram && own.Length == text.Length || piece.IsIn(_terms[number], text)) pieces.OfTerm[number].AddTo(found.Span);
        }
    }

    /// <summary>The terms that have the trigram of a text that is in the fewest.</summary>
    private List<int>? Rarest(ReadOnlySpan<byte> text)
    {
        List<int>? rarest = null;
        for (var i = 0; i + Trigram <= text.Length; i++)
        {
            if (!_byTrigram.TryGetValue(TrigramAt(text, i), out var numbers)) return null;
            if (rarest is null || numbers.Count < rarest.Count) rarest = numbers;
        }

        return rarest;
    }

    private static void Change(Pieces pieces, int slot, int capacity, Held before, Held now)
    {
        foreach (var number in now.Terms)
        {
            if (!before.Terms.Contains(number)) pieces.OfTerm[number].Add(slot, capacity);
        }

        foreach (var number in before.Terms)
        {
            if (!now.Terms.Contains(number)) pieces.OfTerm[number].Remove(slot);
        }

        foreach (var bytes in now.Short)
        {
            if (!before.Short.Contains(bytes)) pieces.OfShort(bytes).Add(slot, capacity);
        }

        foreach (var bytes in before.Short)
        {
            if (!now.Short.Contains(bytes)) pieces.OfShort(bytes).Remove(slot);
        }
    }

    private void Read(ReadOnlySpan<byte> words, int nameLength, bool add, Held all, Held name)
    {
        all.Clear();
        name.Clear();
        for (var at = 0; Term.TryNext(words, at, out var term); at = term.Start + term.Length)
        {
            var number = add ? NumberOf(term.Of(words)) : _byBytes[term.Of(words)];
            all.Terms.Add(number);
            if (at < nameLength) name.Terms.Add(number);
        }

        ReadShort(words, all.Short);
        ReadShort(words[..nameLength], name.Short);
    }

    private static void ReadShort(ReadOnlySpan<byte> text, HashSet<int> pieces)
    {
        for (var i = 0; i < text.Length; i++)
        {
            pieces.Add(Pieces.Short(text.Slice(i, 1)));
            if (i + 2 <= text.Length) pieces.Add(Pieces.Short(text.Slice(i, 2)));
        }
    }

    private int NumberOf(ReadOnlySpan<byte> term)
    {
        if (_byBytes.TryGetValue(term, out var number)) return number;
        if (!_free.TryPop(out number)) number = _numbers.Count;
        if (number == _terms.Length)
        {
            var length = Math.Max(64, number + (number / 2));
            Array.Resize(ref _terms, length);
            Array.Resize(ref _inWords.OfTerm, length);
            Array.Resize(ref _inNames.OfTerm, length);
        }

        var bytes = _terms[number] = term.ToArray();
        _numbers.Add(bytes, number);
        foreach (var trigram in Trigrams(bytes)) (CollectionsMarshal.GetValueRefOrAddDefault(_byTrigram, trigram, out _) ??= []).Add(number);
        return number;
    }

    /// <summary>Forgets a term that no crate has any more.</summary>
    private void GiveUp(int number)
    {
        foreach (var trigram in Trigrams(_terms[number]))
        {
            var numbers = _byTrigram[trigram];
            numbers[numbers.IndexOf(number)] = numbers[^1];
            numbers.RemoveAt(numbers.Count - 1);
            if (numbers.Count == 0) _byTrigram.Remove(trigram);
        }

        _numbers.Remove(_terms[number]);
        _terms[number] = [];
        _free.Push(number);
    }

    private HashSet<int> Trigrams(byte[] term)
    {
        _trigrams.Clear();
        for (var i = 0; i + Trigram <= term.Length; i++) _trigrams.Add(TrigramAt(term, i));
        return _trigrams;
    }

    private static int TrigramAt(ReadOnlySpan<byte> text, int at) => text[at] << 16 | text[at + 1] << 8 | text[at + 2];

    /// <summary>What a text has, each once: the numbers of its terms, and its pieces of one and two bytes.</summary>
    private sealed class Held
    {
        public HashSet<int> Terms { get; } = [];

        public HashSet<int> Short { get; } = [];

        public void Clear()
        {
            Terms.Clear();
            Short.Clear();
        }
    }

    /// <summary>The slots of every term, by its number, and of every piece of one or two bytes.</summary>
    private sealed class Pieces
    {
        public SlotSet[] OfTerm = [];

        private readonly Dictionary<int, SlotSet> _ofShort = [];

        public static int Short(ReadOnlySpan<byte> bytes) => bytes.Length == 1 ? bytes[0] : Singles + (bytes[0] << 8 | bytes[1]);

        public ref SlotSet OfShort(int piece) => ref CollectionsMarshal.GetValueRefOrAddDefault(_ofShort, piece, out _);

        public void AddShort(ReadOnlySpan<byte> bytes, Span<ulong> target)
        {
            if (_ofShort.TryGetValue(Short(bytes), out var slots)) slots.AddTo(target);
        }
    }
}
