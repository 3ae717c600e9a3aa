namespace Pipeline.Api.Search;

/// <summary>Slots in an order, in short pieces: one that comes or goes moves a piece, not all that lie behind it.</summary>
/// <param name="compare">The order; no two slots are equal in it.</param>
internal sealed class SlotOrder(Comparison<int> compare)
{
    private const int LongestPiece = 512;

    private readonly List<List<int>> _pieces = [];

    /// <summary>Puts a slot in its place.</summary>
    public void Add(int slot)
    {
        if (_pieces.Count == 0)
        {
            _pieces.Add([slot]);
            return;
        }

        var (number, index) = Find(other => compare(other, slot) > 0);
        // Behind the last one of a piece is as good as before the first of the next.
        if ((number > 0 && index == 0) || number == _pieces.Count) index = _pieces[--number].Count;
        var piece = _pieces[number];
        piece.Insert(index, slot);
        if (piece.Count < LongestPiece) return;
        // The last one grows at its end while crates come in order; cut in the middle, pieces would stay half empty.
        var kept = number == _pieces.Count - 1 && index == piece.Count - 1 ? LongestPiece - 1 : LongestPiece / 2;
        _pieces.Insert(number + 1, piece[kept..]);
        piece.RemoveRange(kept, piece.Count - kept);
    }

    /// <summary>Takes a slot out. What the order goes by must still be what it was when the slot was added.</summary>
    public void Remove(int slot)
    {
        var (number, index) = Find(other => compare(other, slot) >= 0);
        _pieces[number].RemoveAt(index);
        if (_pieces[number].Count == 0) _pieces.RemoveAt(number);
    }

    /// <summary>The slots in their order, from the first one on that is far enough.</summary>
    /// <param name="isFarEnough">Whether a slot is; all behind one that is are too.</param>
    public IEnumerable<int> From(Func<int, bool> isFarEnough)
    {
        var (number, index) = Find(isFarEnough);
        for (; number < _pieces.Count; number++, index = 0)
        {
            var piece = _pieces[number];
            for (; index < piece.Count; index++) yield return piece[index];
        }
    }

    /// <summary>Puts slots in this order.</summary>
    public void Sort(int[] slots) => Array.Sort(slots, compare);

    private (int Piece, int Index) Find(Func<int, bool> isFarEnough)
    {
        var (low, high) = (0, _pieces.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (isFarEnough(_pieces[middle][^1])) high = middle;
            else low = middle + 1;
        }

        if (low == _pieces.Count) return (low, 0);
        var piece = _pieces[low];
        var (from, to) = (0, piece.Count - 1);
        while (from < to)
        {
            var middle = (from + to) / 2;
            if (isFarEnough(piece[middle])) to = middle;
            else from = middle + 1;
        }

        return (low, from);
    }
}
