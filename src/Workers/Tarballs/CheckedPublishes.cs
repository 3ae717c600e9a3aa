using Pipeline.Registry.Truth;

namespace Pipeline.Workers.Tarballs;

/// <summary>
/// The rows of publishes that this process has just checked, so that the next stage, if it is this process that does it, need not read them
/// again. The database stays the truth: whatever is written of a publish depends on its row as it is then. What finds no room is read.
/// </summary>
public sealed class CheckedPublishes
{
    private const int MostBytes = 4 * 1024 * 1024;
    private const int MostRows = 1024;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, PublishRow> _rows = new(StringComparer.Ordinal);
    // Oldest first, those taken among them until their turn to make room comes.
    private readonly Queue<string> _order = new();
    private long _bytes;

    /// <summary>Keeps a row for <see cref="Take"/>; the oldest that nobody has taken make room.</summary>
    public void Add(PublishRow publish)
    {
        ArgumentNullException.ThrowIfNull(publish);
        lock (_gate)
        {
            if (!_rows.TryAdd(publish.Id, publish)) return;
            _order.Enqueue(publish.Id);
            _bytes += SizeOf(publish);
            while ((_bytes > MostBytes || _order.Count > MostRows) && _order.TryDequeue(out var oldest)) Remove(oldest);
        }
    }

    /// <summary>A row as it was when it was checked; null: it is not here.</summary>
    public PublishRow? Take(string id)
    {
        lock (_gate) return Remove(id);
    }

    private PublishRow? Remove(string id)
    {
        if (!_rows.Remove(id, out var publish)) return null;
        _bytes -= SizeOf(publish);
        return publish;
    }

    // What is not the upload's own is a few hundred bytes.
    private static long SizeOf(PublishRow publish) => 1024 + (publish.Body?.Length ?? 0) + (2L * (publish.Claims.Length + (publish.Facts?.Length ?? 0)));
}
