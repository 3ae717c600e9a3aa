using System.Collections.Concurrent;

namespace Pipeline.Workers.Fetching;

/// <summary>Leaves an upstream alone that fails with one file after another, each time longer, and tries it with one file then.</summary>
/// <param name="clock">Measures.</param>
internal sealed class UpstreamPace(TimeProvider clock)
{
    private readonly ConcurrentDictionary<string, State> _states = new(StringComparer.Ordinal);

    /// <summary>The upstreams that are left alone now.</summary>
    public List<string> Held => [.. _states.Where(pair => IsHeld(pair.Value)).Select(static pair => pair.Key)];

    /// <summary>Whether some upstream has failed so often that it is tried with one file.</summary>
    public bool IsTrying => _states.Values.Any(static state => state.Wait > TimeSpan.Zero);

    /// <summary>Whether an upstream is left alone now.</summary>
    public bool Holds(string upstream) => _states.TryGetValue(upstream, out var state) && IsHeld(state);

    /// <summary>An upstream gave an answer, whatever it was.</summary>
    public void Answered(string upstream) => _states.TryRemove(upstream, out _);

    /// <summary>A fetch failed in a way that may pass.</summary>
    public void Failed(string upstream) => _states.AddOrUpdate(
        upstream,
        _ => new State(1, TimeSpan.Zero, clock.GetTimestamp()),
        // What was under way when the upstream was left alone says nothing new.
        (_, state) => IsHeld(state) ? state : new State(state.Failures + 1, FetchRules.Hold(state.Failures + 1), clock.GetTimestamp()));

    private bool IsHeld(State state) => clock.GetElapsedTime(state.At) < state.Wait;

    private sealed record State(int Failures, TimeSpan Wait, long At);
}
