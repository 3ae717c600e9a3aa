using Pipeline.Contracts;

namespace Pipeline.Cli.Importing;

/// <summary>
/// Says which file may be published next, so that a crate comes after those it depends on and after its own lower versions. Several may be
/// under way at once. Circles are broken: first where only dev dependencies close them.
/// </summary>
internal sealed class ImportSchedule
{
    private readonly Lock _lock = new();
    private readonly Node[] _nodes;
    private readonly Dictionary<string, Node> _byPath;
    private readonly Queue<Node> _ready = new();
    private TaskCompletionSource _change = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _underWay;
    private int _left;

    private ImportSchedule(Node[] nodes)
    {
        _nodes = nodes;
        _byPath = nodes.ToDictionary(node => node.Item.Path, StringComparer.Ordinal);
        _left = nodes.Length;
        foreach (var node in nodes.Where(node => node.IsFree)) Release(node);
    }

    /// <summary>In the order given, as fast as files are asked for.</summary>
    public static ImportSchedule AsGiven(IEnumerable<ImportItem> items) => new([.. items.Select(item => new Node(item))]);

    /// <summary>Dependencies first; what is free of them comes in the order given.</summary>
    public static ImportSchedule ByDependency(IEnumerable<ImportItem> items)
    {
        Node[] nodes = [.. items.Select(item => new Node(item))];
        var versions = nodes.GroupBy(node => CanonicalName.Of(node.Item.Name)).ToDictionary(crate => crate.Key, crate => crate.Order().ToArray());
        foreach (var crate in versions.Values)
        {
            for (var i = 1; i < crate.Length; i++) crate[i].WaitFor(crate[i - 1], forTests: false);
        }

        foreach (var node in nodes)
        {
            Link(node, node.Item.Requires, forTests: false);
            Link(node, node.Item.RequiresForTests, forTests: true);
        }

        return new ImportSchedule(nodes);

        // The registry asks only whether the crate is known, so its first version will do.
        void Link(Node node, IReadOnlyList<string> names, bool forTests)
        {
            foreach (var name in names)
            {
                var canonical = CanonicalName.Of(name);
                if (canonical != CanonicalName.Of(node.Item.Name) && versions.TryGetValue(canonical, out var crate)) node.WaitFor(crate[0], forTests);
            }
        }
    }

    /// <summary>The next file, once there is one; null: all have been handed out. Each must be given back to <see cref="Finished"/>.</summary>
    public async ValueTask<ImportItem?> NextAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            Task change;
            lock (_lock)
            {
                if (_left == 0) return null;
                if (_ready.Count == 0 && _underWay == 0) BreakCircle();
                if (_ready.TryDequeue(out var node))
                {
                    _underWay++;
                    if (--_left == 0) Signal();
                    return node.Item;
                }

                change = _change.Task;
            }

            await change.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>A file was dealt with, well or ill: those that wait for it may go on.</summary>
    public void Finished(ImportItem item)
    {
        lock (_lock)
        {
            _underWay--;
            foreach (var (waiting, forTests) in _byPath[item.Path].Waiting)
            {
                waiting.Unblock(forTests);
                if (waiting.IsFree && !waiting.IsReleased) Release(waiting);
            }

            Signal();
        }
    }

    private void BreakCircle()
    {
        var stuck = _nodes.Where(node => !node.IsReleased);
        Release(stuck.FirstOrDefault(node => node.OnlyTestsBlock) ?? stuck.First());
    }

    private void Release(Node node)
    {
        node.IsReleased = true;
        _ready.Enqueue(node);
    }

    private void Signal()
    {
        var change = _change;
        _change = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        change.SetResult();
    }

    private sealed class Node(ImportItem item) : IComparable<Node>
    {
        private readonly CrateVersion? _version = CrateVersion.TryParse(item.Version, out var version) ? version : null;
        private int _blocks;
        private int _testBlocks;

        public ImportItem Item => item;

        public List<(Node Node, bool ForTests)> Waiting { get; } = [];

        public bool IsReleased { get; set; }

        public bool IsFree => _blocks == 0 && _testBlocks == 0;

        public bool OnlyTestsBlock => _blocks == 0;

        public void WaitFor(Node other, bool forTests)
        {
            other.Waiting.Add((this, forTests));
            if (forTests) _testBlocks++;
            else _blocks++;
        }

        public void Unblock(bool forTests)
        {
            if (forTests) _testBlocks--;
            else _blocks--;
        }

        public int CompareTo(Node? other) => _version is null || other?._version is null ? (_version is null ? 0 : 1) - (other?._version is null ? 0 : 1) : _version.CompareTo(other._version);
    }
}
