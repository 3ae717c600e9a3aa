namespace Pipeline.Api.Admin.Shapes;

/// <summary>What to rebuild.</summary>
public sealed record RebuildRequest
{
    /// <summary><c>git</c> or <c>sparse</c>.</summary>
    public string? Kind { get; init; }

    /// <summary>The one crate; null: all of them.</summary>
    public string? Crate { get; init; }

    /// <summary>An absolute path on the machine that rebuilds; null: into place.</summary>
    public string? To { get; init; }
}

/// <summary>A rebuild. Times are UTC.</summary>
/// <param name="Id">Its row.</param>
/// <param name="Kind">Of what.</param>
/// <param name="Crate">The one crate; null: all of them.</param>
/// <param name="To">Where to; null: into place.</param>
/// <param name="State"><c>waiting</c>, <c>running</c>, <c>swapping</c>, <c>done</c> or <c>failed</c>.</param>
/// <param name="Done">Crates done.</param>
/// <param name="Total">Of how many.</param>
/// <param name="Result">What came of it.</param>
/// <param name="Error">Why it failed, or has to be tried again.</param>
/// <param name="AskedAt">When it was asked for.</param>
/// <param name="StartedAt">When it began.</param>
/// <param name="FinishedAt">When it ended.</param>
public sealed record RebuildAnswer(
    long Id, string Kind, string? Crate, string? To, string State, long Done, long Total, string? Result, string? Error,
    DateTime AskedAt, DateTime? StartedAt, DateTime? FinishedAt);

/// <summary>Rebuilds, newest first.</summary>
/// <param name="Rebuilds">The rebuilds.</param>
/// <param name="NextCursor">Asks for the next page; null: there is none.</param>
public sealed record RebuildsAnswer(IReadOnlyList<RebuildAnswer> Rebuilds, string? NextCursor);
