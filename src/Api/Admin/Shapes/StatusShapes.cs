namespace Pipeline.Api.Admin.Shapes;

/// <summary>The registry at a glance.</summary>
/// <param name="Stages">The publish path, in order, then whatever else has a queue.</param>
/// <param name="Projections">The projections.</param>
/// <param name="Failures">Open failures by stage and kind.</param>
/// <param name="Counts">How much there is.</param>
/// <param name="Overdue">Publishes past their deadline.</param>
/// <param name="Claims">What workers hold while they write outside.</param>
/// <param name="Leases">The leases.</param>
/// <param name="Processes">The processes that are alive.</param>
/// <param name="Reconcile">What the newest run of reconcile has left; null: none has ended yet.</param>
/// <param name="Upstreams">The upstreams.</param>
public sealed record StatusAnswer(
    IReadOnlyList<StageStatus> Stages,
    IReadOnlyList<ProjectionStatus> Projections,
    IReadOnlyList<FailureCount> Failures,
    RegistryCounts Counts,
    OverdueStatus? Overdue,
    IReadOnlyList<ClaimStatus>? Claims,
    IReadOnlyList<LeaseStatus>? Leases,
    IReadOnlyList<ProcessStatus>? Processes,
    ReconcileStatus? Reconcile,
    IReadOnlyList<UpstreamStatus>? Upstreams);

/// <summary>How fresh the mirror of an upstream is.</summary>
/// <param name="Name">The upstream.</param>
/// <param name="AgeSeconds">How long ago its last good sync ended; before the first, since it was added.</param>
/// <param name="Attempts">Syncs that failed since.</param>
/// <param name="Incident"><c>failing</c> or <c>stale</c> while it cannot be followed; null: it can.</param>
public sealed record UpstreamStatus(string Name, double AgeSeconds, long Attempts, string? Incident);

/// <summary>What waits for one stage.</summary>
/// <param name="Stage">The queue's name.</param>
/// <param name="Waiting">Rows that wait for it.</param>
/// <param name="OldestSeconds">Age of the oldest; null: none waits.</param>
/// <param name="Depth">Bells that wait, in the memory of the process that answers or at the broker; null: the broker does not say now.</param>
/// <param name="Capacity">How many of these the sweep lets wait.</param>
/// <param name="InFlight">Bells that are worked on: now in the process that answers, some seconds ago in others.</param>
/// <param name="PerSecond">Rows moved per second, over the last minute.</param>
/// <param name="Parked">How many of the rows that wait do so for a replay.</param>
public sealed record StageStatus(string Stage, long Waiting, double? OldestSeconds, int? Depth, int? Capacity, long InFlight, double PerSecond, long Parked);

/// <summary>How far one kind of projection lags.</summary>
/// <param name="Kind"><c>git</c>, <c>sparse</c>, <c>cdn/NAME</c> …</param>
/// <param name="Behind">Crates it lags on; of a cache, purges it has not confirmed.</param>
/// <param name="LagSeconds">Since when, for the one that lags longest; null: none does.</param>
/// <param name="Retrying">How many of them wait for a next try after a failed one.</param>
/// <param name="Parked">How many of them wait for a replay.</param>
public sealed record ProjectionStatus(string Kind, long Behind, double? LagSeconds, long Retrying, long Parked);

/// <summary>Open failures of one stage and kind.</summary>
/// <param name="Stage">The stage.</param>
/// <param name="Kind"><c>reject</c>, <c>transient</c> or <c>fault</c>.</param>
/// <param name="Count">How many rows.</param>
public sealed record FailureCount(string Stage, string Kind, long Count);

/// <summary>How much there is.</summary>
/// <param name="Crates">Active crates.</param>
/// <param name="Versions">Active versions.</param>
/// <param name="Users">Accounts.</param>
/// <param name="Undecided">Publishes without a verdict.</param>
public sealed record RegistryCounts(long Crates, long Versions, long Users, long Undecided);

/// <summary>Publishes past their deadline. The sweep gives them up; as long as it has not, they stand here.</summary>
/// <param name="Count">How many stand here.</param>
/// <param name="ExpiredLastDay">How many were given up in the last 24 hours.</param>
/// <param name="Publishes">The oldest of them.</param>
public sealed record OverdueStatus(long Count, long ExpiredLastDay, IReadOnlyList<OverdueShape> Publishes);

/// <summary>A publish past its deadline.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Crate">The crate.</param>
/// <param name="Version">The version.</param>
/// <param name="Stage">The stage that holds it.</param>
/// <param name="DeadlineAt">When it was to be decided.</param>
/// <param name="LastError">Why the stage failed last.</param>
/// <param name="WaitsFor">The publish that holds the version.</param>
public sealed record OverdueShape(string Id, string Crate, string Version, string Stage, DateTime DeadlineAt, string? LastError, string? WaitsFor);

/// <summary>What workers of one kind of projection hold while they write outside.</summary>
/// <param name="Kind">The kind.</param>
/// <param name="Open">How many claims are open.</param>
/// <param name="OfDead">How many of them are of dead processes; the sweep sees to those.</param>
/// <param name="OldestSeconds">Age of the oldest; null: there is none.</param>
public sealed record ClaimStatus(string Kind, long Open, long OfDead, double? OldestSeconds);

/// <summary>A lease.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Process">Who holds it, or held it last.</param>
/// <param name="Alive">Whether that process is alive.</param>
/// <param name="SecondsLeft">How long it holds without renewal; negative: anybody may take it.</param>
public sealed record LeaseStatus(string Name, string Process, bool Alive, double SecondsLeft);

/// <summary>A process.</summary>
/// <param name="Id">Its id, new at every start.</param>
/// <param name="Roles">The queues it was told to serve; empty: all; <c>api</c>: none.</param>
/// <param name="StartedAt">When it began.</param>
/// <param name="SeenSeconds">How long ago it said that it is alive.</param>
public sealed record ProcessStatus(string Id, string Roles, DateTime StartedAt, double SeenSeconds);

/// <summary>The newest run of reconcile that has ended.</summary>
/// <param name="Id">The run.</param>
/// <param name="State"><c>done</c> or <c>failed</c>.</param>
/// <param name="Open">Differences that it did not mend.</param>
/// <param name="InFlight">Crates that never came to rest.</param>
/// <param name="EndedSeconds">How long ago it ended.</param>
public sealed record ReconcileStatus(long Id, string State, long Open, long InFlight, double EndedSeconds);
