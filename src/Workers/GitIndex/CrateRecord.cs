using Pipeline.Contracts.Index;
using Pipeline.Registry.Database;
using Pipeline.Registry.Git;
using Pipeline.Registry.Truth;

namespace Pipeline.Workers.GitIndex;

/// <summary>Collects what the database says of one crate in one moment, and renders its file.</summary>
internal sealed class CrateRecord(long crateId, CrateRecord.Budget budget)
{
    // Far more than ever wait together for one crate; a bound all the same.
    private const int MaxCauses = 100;

    private readonly List<Line> _lines = [];
    private readonly List<string> _names = [];
    private readonly List<Cause> _causes = [];
    private Head? _head;

    /// <summary>A row of the page: the crate, the revision wanted when the page was read, where its file was rendered last, how often in vain since, its place.</summary>
    public sealed record Lag(long CrateId, long Wanted, string? Path, long Attempts, long FirstChange);

    /// <summary>How many bytes of files the page may still take.</summary>
    public sealed class Budget(long left)
    {
        /// <summary>What is left.</summary>
        public long Left { get; set; } = left;

        /// <summary>The page's first crate, taken whatever its size, or it would never be.</summary>
        public long? AlwaysWhole { get; set; }
    }

    /// <summary>Whether the crate's lines went beyond the budget, and so are not here.</summary>
    public bool IsCut { get; private set; }

    /// <summary>Takes a row of the statement.</summary>
    public bool Take(Row row)
    {
        switch (row.Long(0))
        {
            case 0:
                _head = new Head(row.Long(2), row.LongOrNull(3) ?? 0, row.Text(4), row.Text(5), row.Text(6), row.Bool(7), row.BytesOrNull(8));
                Count(_head.UpstreamFile?.Length ?? 0);
                break;
            case 1 when !IsCut:
                var line = new Line(row.Long(2), row.Long(3), row.Text(4), row.Bool(7), row.Text(5));
                _lines.Add(line);
                Count(line.Head.Length + line.Tail.Length + 6);
                break;
            case 2:
                if (!_names.Contains(row.Text(4))) _names.Add(row.Text(4));
                if (_causes.Count < MaxCauses) _causes.Add(new Cause(row.TextOrNull(5), row.LongOrNull(2)));
                break;
        }

        return true;
    }

    /// <summary>What the index is to show of the crate.</summary>
    /// <exception cref="ArgumentException">The crate's name gives no path.</exception>
    /// <exception cref="InvalidDataException">The rows contradict each other.</exception>
    public LaggingCrate Render(Lag row)
    {
        if (_head is not { } head) throw new InvalidDataException($"crate {crateId} has a projection and no row");
        if (head.Revision < row.Wanted) throw new InvalidDataException($"revision {row.Wanted} is wanted of crate {crateId}, which is at {head.Revision}");
        if (head.Namespace.Length > 0) return new LaggingCrate(crateId, head.Name, head.Revision, head.LastChange, row.Attempts, null, null, [], []);

        var path = PathOf(head.Name);
        List<string> former = [];
        if (row.Path is not null && row.Path != path) former.Add(row.Path);
        foreach (var name in _names)
        {
            if (PathOf(name) is var other && other != path && !former.Contains(other)) former.Add(other);
        }

        return new LaggingCrate(crateId, head.Name, head.Revision, head.LastChange, row.Attempts, path, Content(head), former, _causes) { Upstream = head.Source == "local" ? null : head.Source };
    }

    private byte[]? Content(Head head)
    {
        if (!head.Active) return null;
        if (head.UpstreamFile is { } file) return file.Length == 0 ? null : file;
        if (_lines.Count == 0) return null;
        // The order of publication, not of the rows: a file's lines never change places.
        _lines.Sort(static (x, y) => x.PublishedAt != y.PublishedAt ? x.PublishedAt.CompareTo(y.PublishedAt) : x.Id.CompareTo(y.Id));
        return IndexFile.Render(_lines.Select(static line => (line.Head, line.Yanked, line.Tail)));
    }

    private static string PathOf(string name)
    {
        var path = IndexPath.Of(name);
        IndexTreePath.Check(path);
        return path;
    }

    private void Count(int bytes)
    {
        budget.Left -= bytes;
        if (budget.Left >= 0 || budget.AlwaysWhole == crateId) return;
        IsCut = true;
        _lines.Clear();
    }

    private sealed record Head(long Revision, long LastChange, string Name, string Namespace, string Source, bool Active, byte[]? UpstreamFile);

    private readonly record struct Line(long PublishedAt, long Id, string Head, bool Yanked, string Tail);
}
