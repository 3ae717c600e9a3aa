namespace Pipeline.Api.Admin.Shapes;

/// <summary>How to reconcile.</summary>
public sealed record ReconcileRequest
{
    /// <summary>Whether what is derivable is mended.</summary>
    public bool Repair { get; init; }
}

/// <summary>A run of reconcile. Times are UTC.</summary>
/// <param name="Id">Its row.</param>
/// <param name="Cause"><c>schedule</c> or <c>operator</c>.</param>
/// <param name="Repair">Whether it mends.</param>
/// <param name="State"><c>waiting</c>, <c>running</c>, <c>done</c> or <c>failed</c>.</param>
/// <param name="Clean">Whether it is done, found nothing that is still open, and met no crate that never came to rest.</param>
/// <param name="StartedAt">When it began.</param>
/// <param name="FinishedAt">When it ended; null: it is under way.</param>
/// <param name="Phase">What it compares.</param>
/// <param name="Crates">Crates compared.</param>
/// <param name="CratesTotal">Of how many.</param>
/// <param name="Objects">Objects looked at.</param>
/// <param name="InFlight">Crates that never came to rest while it looked.</param>
/// <param name="Found">Differences found.</param>
/// <param name="Repaired">Of these mended.</param>
/// <param name="Open">Of these not mended.</param>
/// <param name="Error">Why it failed.</param>
/// <param name="Differences">What was found, as far as it is noted; null in lists.</param>
public sealed record ReconcileAnswer(
    long Id, string Cause, bool Repair, string State, bool Clean, DateTime StartedAt, DateTime? FinishedAt, string? Phase, long Crates, long CratesTotal, long Objects, long InFlight,
    long Found, long Repaired, long Open, string? Error, IReadOnlyList<DifferenceShape>? Differences);

/// <summary>Something that differs.</summary>
/// <param name="Kind">Of the closed list: <c>missing-in-index</c>, <c>extra-in-index</c>, <c>yank-differs</c> …</param>
/// <param name="Store">Where: <c>git</c>, <c>sparse</c>, <c>objects</c>, <c>records</c>, <c>staging</c>, <c>cdn/NAME</c>.</param>
/// <param name="Crate">The crate.</param>
/// <param name="Version">The version; null: the whole file.</param>
/// <param name="Object">The path or key.</param>
/// <param name="Detail">More of it.</param>
/// <param name="Repaired">Whether it was mended, and seen to be.</param>
public sealed record DifferenceShape(string Kind, string Store, string? Crate, string? Version, string? Object, string? Detail, bool Repaired);

/// <summary>Runs, newest first.</summary>
/// <param name="Runs">The runs.</param>
/// <param name="NextCursor">Asks for the next page; null: there is none.</param>
public sealed record ReconcilesAnswer(IReadOnlyList<ReconcileAnswer> Runs, string? NextCursor);
