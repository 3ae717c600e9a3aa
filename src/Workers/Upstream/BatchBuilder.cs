using Pipeline.Contracts.Index;

namespace Pipeline.Workers.Upstream;

/// <summary>Collects a batch: what can be shown, what has gone, what cannot be taken.</summary>
internal sealed class BatchBuilder
{
    private List<TakenFile> _taken = [];
    private List<string> _gone = [];
    private List<BadFile> _bad = [];
    private long _bytes;
    private int _unchanged;

    /// <summary>Whether it is time to write it.</summary>
    public bool IsFull => _taken.Count + _gone.Count + _bad.Count >= SyncBatch.MostFiles || _bytes >= SyncBatch.MostBytes;

    /// <summary>Whether there is nothing in it.</summary>
    public bool IsEmpty => _taken.Count + _gone.Count + _bad.Count == 0;

    /// <summary>A path that has no file any more.</summary>
    public void Gone(string path) => _gone.Add(path);

    /// <summary>Paths that have no file any more.</summary>
    public void Gone(IEnumerable<string> paths) => _gone.AddRange(paths);

    /// <summary>A file that is as it was: counted, and no reason for a batch.</summary>
    public void Unchanged() => _unchanged++;

    /// <summary>A path that no crate can have.</summary>
    public void Odd(string path, string? blobId) => _bad.Add(new BadFile(path, blobId, "odd-path", "no crate's index file lies at this path"));

    /// <summary>A file that could not be had.</summary>
    public void Bad(string path, string code, string text) => _bad.Add(new BadFile(path, null, code, text));

    /// <summary>A file; null bytes: it is larger than a file may be.</summary>
    public void Take(string path, string blobId, byte[]? bytes, FileMark? mark = null)
    {
        if (bytes is null) _bad.Add(new BadFile(path, blobId, "file-too-large", $"the file has more than {MirroredFile.MaxBytes} bytes"));
        else if (!MirroredFile.TryRead(bytes, SyncPlan.NameOf(path), out var file, out var reason)) _bad.Add(new BadFile(path, blobId, "file-unreadable", reason));
        else
        {
            _taken.Add(new TakenFile(path, blobId, bytes, file) { Mark = mark });
            _bytes += bytes.Length;
        }
    }

    /// <summary>The batch; the next begins empty.</summary>
    public SyncBatch Build(string? lastPath)
    {
        var batch = new SyncBatch(_taken, _gone, _bad, lastPath) { Unchanged = _unchanged };
        (_taken, _gone, _bad, _bytes, _unchanged) = ([], [], [], 0, 0);
        return batch;
    }
}
