namespace Pipeline.Api.Admin.Shapes;

/// <summary>A publish as its operator sees it. Times are UTC.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Crate">The crate's name as submitted.</param>
/// <param name="Version">The version, normalised.</param>
/// <param name="State"><c>parked</c>, <c>checked</c>, <c>accepted</c> or <c>rejected</c>.</param>
/// <param name="User">The login of the publisher.</param>
/// <param name="Size">Bytes of the .crate.</param>
/// <param name="Checksum">Its SHA-256, hex.</param>
/// <param name="ReceivedAt">When the request came.</param>
/// <param name="DecidedAt">When the verdict fell; null: not yet.</param>
/// <param name="VerdictCode">The reject's code; null unless rejected.</param>
/// <param name="VerdictStatus">The HTTP status of the verdict.</param>
/// <param name="VerdictText">The reason, as the publisher was told.</param>
public sealed record PublishShape(
    string Id,
    string Crate,
    string Version,
    string State,
    string User,
    long Size,
    string Checksum,
    DateTime ReceivedAt,
    DateTime? DecidedAt,
    string? VerdictCode,
    long? VerdictStatus,
    string? VerdictText);

/// <summary>One stage of a publish.</summary>
/// <param name="Stage"><c>intake</c>, <c>tarball</c>, <c>manifest</c>, or a projection's kind.</param>
/// <param name="State"><c>waiting</c>, <c>running</c> or <c>done</c>.</param>
/// <param name="WaitedMs">Milliseconds between the end of the stage before and its start; null: not started, or not known.</param>
/// <param name="TookMs">Milliseconds from its start to its end; null: not ended, or not known.</param>
/// <param name="DoneAt">When it ended.</param>
/// <param name="Attempts">How often it was tried, as far as failed tries are remembered; 0: not yet, or not needed.</param>
/// <param name="Failures">How it failed, oldest first.</param>
public sealed record StageShape(string Stage, string State, double? WaitedMs, double? TookMs, DateTime? DoneAt, long Attempts, IReadOnlyList<StageFailure>? Failures);

/// <summary>A failure of a stage of a publish.</summary>
/// <param name="Id">Its row, for <c>failed show</c>.</param>
/// <param name="State">As in <see cref="FailureShape"/>.</param>
/// <param name="Code">What kind of failure.</param>
/// <param name="Text">What happened.</param>
/// <param name="TraceId">The trace it happened in.</param>
/// <param name="Count">How often.</param>
/// <param name="LastSeen">When last.</param>
public sealed record StageFailure(long Id, string State, string Code, string Text, string? TraceId, long Count, DateTime LastSeen);

/// <summary>The answer with one publish.</summary>
/// <param name="Publish">The publish.</param>
/// <param name="Attempts">Tries of the stage it waits for.</param>
/// <param name="LastError">Why the last one failed.</param>
/// <param name="NextTryAt">When it is tried again.</param>
/// <param name="WaitsFor">The publish that holds the version's reservation.</param>
/// <param name="DeadlineAt">Undecided by then, it is rejected as expired.</param>
/// <param name="TraceParent">The trace context of the request.</param>
/// <param name="TraceId">The trace it belongs to.</param>
/// <param name="Overdue">Whether it is past its deadline and undecided.</param>
/// <param name="HeldBy">The stage that holds it, or held it when it was given up as expired; null: it was decided in time.</param>
/// <param name="Stages">Its way so far, in order; each cache that had to be told is a stage <c>purge-cdn/NAME</c>.</param>
public sealed record PublishAnswer(
    PublishShape Publish,
    long Attempts,
    string? LastError,
    DateTime? NextTryAt,
    string? WaitsFor,
    DateTime DeadlineAt,
    string? TraceParent,
    string? TraceId,
    bool Overdue,
    string? HeldBy,
    IReadOnlyList<StageShape> Stages);

/// <summary>A page of publishes, newest first.</summary>
/// <param name="Publishes">The publishes.</param>
/// <param name="NextCursor">Asks for the next page; null: there is none.</param>
public sealed record PublishesAnswer(IReadOnlyList<PublishShape> Publishes, string? NextCursor);
