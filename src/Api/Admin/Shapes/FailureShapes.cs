namespace Pipeline.Api.Admin.Shapes;

/// <summary>A failure. Times are UTC.</summary>
/// <param name="Id">Its row.</param>
/// <param name="Stage">The stage it happened in.</param>
/// <param name="Key">What the stage worked on: a publish id, a crate id, the name of a cache.</param>
/// <param name="Kind"><c>reject</c>, <c>transient</c> or <c>fault</c>.</param>
/// <param name="Code">What kind of failure, for filters.</param>
/// <param name="Text">What happened.</param>
/// <param name="TraceId">The trace it happened in.</param>
/// <param name="FirstSeen">When first.</param>
/// <param name="LastSeen">When last.</param>
/// <param name="Count">How often.</param>
/// <param name="State"><c>parked</c> until it is replayed, <c>retrying</c> by itself, <c>replayed</c> and not tried since, <c>unreadable</c> (a message), <c>resolved</c>.</param>
/// <param name="NextTryAt">When it is tried next; null: at the next sweep, or not by itself.</param>
/// <param name="ReplayedAt">When it was replayed last.</param>
/// <param name="ResolvedAt">When it was over.</param>
/// <param name="Replay">What a replay would do: <c>reset</c> its row, <c>rung</c> (no row, the bell again), <c>dropped</c> (a message that nobody can read), <c>over</c>, <c>unknown</c>, <c>gone</c>.</param>
public sealed record FailureShape(
    long Id, string Stage, string Key, string Kind, string Code, string Text, string? TraceId, DateTime FirstSeen, DateTime LastSeen, long Count,
    string? State, DateTime? NextTryAt, DateTime? ReplayedAt, DateTime? ResolvedAt, string? Replay);

/// <summary>The answer with one failure.</summary>
/// <param name="Failure">The failure.</param>
public sealed record FailureAnswer(FailureShape Failure);

/// <summary>A page of failures, newest first.</summary>
/// <param name="Failures">The failures.</param>
/// <param name="NextCursor">Asks for the next page; null: there is none.</param>
public sealed record FailuresAnswer(IReadOnlyList<FailureShape> Failures, string? NextCursor);

/// <summary>Asks for a replay.</summary>
/// <param name="Ids">The failures, in the order to replay them.</param>
public sealed record ReplayRequest(IReadOnlyList<long>? Ids);

/// <summary>What became of one failure.</summary>
/// <param name="Id">The failure.</param>
/// <param name="Outcome">
/// <c>reset</c>: its row is due again and is rung in its turn; <c>rung</c>: its bell was rung again; <c>over</c>: nothing waits there any more;
/// <c>dropped</c>: the message cannot be read and is not sent again, the sweep rings the row it was for; <c>unknown</c>: this program does not know
/// the stage; <c>gone</c>: no such failure is open.
/// </param>
public sealed record ReplayShape(long Id, string Outcome);

/// <summary>What a replay came to.</summary>
/// <param name="Results">One for each failure.</param>
public sealed record ReplayAnswer(IReadOnlyList<ReplayShape> Results);
