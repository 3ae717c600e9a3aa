using System.Diagnostics.Metrics;

namespace Pipeline.Registry.Telemetry;

/// <summary>What the stages measure as they run. What is read from the database now and then is <see cref="StandingGauges"/>.</summary>
public static class PipelineMeter
{
    /// <summary>The meter.</summary>
    public static readonly Meter Meter = new(Tracing.Name);

    /// <summary>How long runs of a stage took, by <c>stage</c> and <c>outcome</c> (see <see cref="StageRun"/>).</summary>
    public static readonly Histogram<double> StageDuration = Meter.CreateHistogram(
        "pipeline.stage.duration", "s", "How long a stage took for one bell", null,
        new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300] });

    /// <summary>How long from the row of a publish to its line in the sparse index or its commit in the git index, by <c>index</c>.</summary>
    public static readonly Histogram<double> AcceptToIndex = Meter.CreateHistogram(
        "pipeline.publish.accept_to_index", "s", "From a publish being kept to its line in an index", null,
        new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600] });

    /// <summary>SQL statements, those of transactions and savepoints among them.</summary>
    public static readonly Counter<long> Statements = Meter.CreateCounter<long>("pipeline.database.statements", "{statement}", "SQL statements run");

    /// <summary>Pieces of work that read (<see cref="Database.IDatabase.ReadAsync"/>).</summary>
    public static readonly Counter<long> Reads = Meter.CreateCounter<long>("pipeline.database.reads", "{read}", "Pieces of work that read the database");

    /// <summary>Transactions that write (<see cref="Database.IDatabase.WriteAsync"/>); several may share a commit.</summary>
    public static readonly Counter<long> Writes = Meter.CreateCounter<long>("pipeline.database.writes", "{transaction}", "Transactions that wrote the database");

    /// <summary>Commits, by <c>synced</c>: whether the disk was waited for.</summary>
    public static readonly Counter<long> Commits = Meter.CreateCounter<long>("pipeline.database.commits", "{commit}", "Commits of the database");

    /// <summary>Messages given to the bus: bells of several keys may share one.</summary>
    public static readonly Counter<long> Messages = Meter.CreateCounter<long>("pipeline.bus.messages", "{message}", "Messages given to the bus");

    /// <summary>Requests to an S3 server, repeated ones among them.</summary>
    public static readonly Counter<long> StoreRequests = Meter.CreateCounter<long>("pipeline.store.requests", "{request}", "Requests to the object store's server");

    /// <summary>Syncs of the store's file system, each for all who waited.</summary>
    public static readonly Counter<long> StoreSyncs = Meter.CreateCounter<long>("pipeline.store.syncs", "{sync}", "Syncs of the object store's file system");

    /// <summary>Notes a commit.</summary>
    public static void Committed(bool isSynced) => Commits.Add(1, new KeyValuePair<string, object?>("synced", isSynced ? "yes" : "no"));

    /// <summary>Notes that an index shows a publish.</summary>
    /// <param name="index">A kind of projection.</param>
    /// <param name="microseconds">How long it took.</param>
    public static void Indexed(string index, long microseconds) =>
        AcceptToIndex.Record(Math.Max(0, microseconds) / 1e6, new KeyValuePair<string, object?>("index", index));
}
