namespace Pipeline.Api.Admin.Shapes;

/// <summary>The registry at a glance.</summary>
/// <param name="Stages">The publish path, in order.</param>
/// <param name="Projections">The projections.</param>
/// <param name="Failures">Open failures by stage and kind.</param>
/// <param name="Counts">How much there is.</param>
public sealed record StatusAnswer(
    IReadOnlyList<StageStatus> Stages, IReadOnlyList<ProjectionStatus> Projections, IReadOnlyList<FailureCount> Failures, RegistryCounts Counts);

/// <summary>What waits for one stage.</summary>
/// <param name="Stage">The queue's name.</param>
/// <param name="Waiting">Rows that wait for it.</param>
/// <param name="OldestSeconds">Age of the oldest; null: none waits.</param>
/// <param name="Depth">Bells that wait, in the memory of the process that answers or at the broker; null: the broker does not say now.</param>
/// <param name="Capacity">How many of these the sweep lets wait.</param>
public sealed record StageStatus(string Stage, long Waiting, double? OldestSeconds, int? Depth, int? Capacity);

/// <summary>How far one kind of projection lags.</summary>
/// <param name="Kind"><c>git</c>, <c>sparse</c>, <c>cdn/NAME</c> …</param>
/// <param name="Behind">Crates it lags on; of a cache, purges it has not confirmed.</param>
/// <param name="LagSeconds">Since when, for the one that lags longest; null: none does.</param>
/// <param name="Retrying">How many of them wait after a failed try.</param>
public sealed record ProjectionStatus(string Kind, long Behind, double? LagSeconds, long Retrying);

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
