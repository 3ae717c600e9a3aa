namespace Pipeline.Api.Admin.Shapes;

/// <summary>An open failure. Times are UTC.</summary>
/// <param name="Id">Its row.</param>
/// <param name="Stage">The stage it happened in.</param>
/// <param name="Key">What the stage worked on: a publish id, a crate id.</param>
/// <param name="Kind"><c>reject</c>, <c>transient</c> or <c>fault</c>.</param>
/// <param name="Code">What kind of failure, for filters.</param>
/// <param name="Text">What happened.</param>
/// <param name="TraceId">The trace it happened in.</param>
/// <param name="FirstSeen">When first.</param>
/// <param name="LastSeen">When last.</param>
/// <param name="Count">How often.</param>
public sealed record FailureShape(
    long Id, string Stage, string Key, string Kind, string Code, string Text, string? TraceId, DateTime FirstSeen, DateTime LastSeen, long Count);

/// <summary>A page of open failures, newest first.</summary>
/// <param name="Failures">The failures.</param>
/// <param name="NextCursor">Asks for the next page; null: there is none.</param>
public sealed record FailuresAnswer(IReadOnlyList<FailureShape> Failures, string? NextCursor);
