using System.ComponentModel.DataAnnotations;

namespace Pipeline.Registry.Options;

/// <summary>How webhooks are told of changes. Section <c>Notices</c>.</summary>
public sealed record NoticeOptions
{
    /// <summary>How long one delivery may take in all, in seconds.</summary>
    [Range(0.01, 3600.0)]
    public double TimeoutSeconds { get; init; } = 5;

    /// <summary>A notice that failed so often is given up: a failure that can be replayed.</summary>
    [Range(1, 1_000_000)]
    public int Attempts { get; init; } = 12;

    /// <summary>The wait after a first failure, in seconds; it doubles with each further one up to ten minutes.</summary>
    [Range(0.001, 3600.0)]
    public double FirstWaitSeconds { get; init; } = 1;

    /// <summary>Networks that are not public and may be told all the same, such as <c>10.0.0.0/8</c>.</summary>
    public IReadOnlyList<string> AllowedNetworks { get; init; } = [];
}
