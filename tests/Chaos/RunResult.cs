using Pipeline.Tests.Chaos.Laws;

namespace Pipeline.Tests.Chaos;

/// <summary>What one run on one shape came to.</summary>
internal sealed record RunResult
{
    /// <summary>The shape.</summary>
    public required string Shape { get; init; }

    /// <summary>The seed.</summary>
    public required int Seed { get; init; }

    /// <summary>Injections and bites by kind.</summary>
    public required IReadOnlyDictionary<string, (int Injected, int Bit)> Faults { get; init; }

    /// <summary>How often each kind had to bite.</summary>
    public required IReadOnlyDictionary<string, int> Targets { get; init; }

    /// <summary>Uploads accepted, refused and left in doubt, yanks and unyanks acknowledged, requests sent in all.</summary>
    public required (int Accepted, int Refused, int Unknown, int Yanks, int Requests) Told { get; init; }

    /// <summary>From the last fault and the last step to rest.</summary>
    public required TimeSpan Drain { get; init; }

    /// <summary>The whole run, start and end included.</summary>
    public required TimeSpan Took { get; init; }

    /// <summary>The laws that do not hold.</summary>
    public required IReadOnlyList<Breach> Breaches { get; init; }
}
