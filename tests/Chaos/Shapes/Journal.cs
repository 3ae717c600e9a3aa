using System.Collections.Concurrent;

namespace Pipeline.Tests.Chaos.Shapes;

/// <summary>What the processes of the registry said, and what happened to them that nobody here did.</summary>
internal sealed class Journal
{
    private readonly ConcurrentQueue<string> _lines = [];
    private readonly ConcurrentQueue<string> _surprises = [];

    /// <summary>Processes that ended by themselves, and the like.</summary>
    public IReadOnlyCollection<string> Surprises => _surprises;

    /// <summary>All lines so far, each behind the role that wrote it.</summary>
    public IReadOnlyCollection<string> Lines => _lines;

    /// <summary>Takes a line of a process.</summary>
    public void Note(string role, string line) => _lines.Enqueue($"{role}: {line}");

    /// <summary>Takes what ought not to be.</summary>
    public void Surprise(string what) => _surprises.Enqueue(what);

    /// <summary>How many lines so far speak of any of some words: outages are seen to bite by what the registry says of them.</summary>
    public int Count(params IReadOnlyList<string> words) => _lines.Count(line => words.Any(word => line.Contains(word, StringComparison.OrdinalIgnoreCase)));
}
