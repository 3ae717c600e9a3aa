using System.Diagnostics.Metrics;
using Pipeline.Registry.Truth;

namespace Pipeline.Registry.Telemetry;

/// <summary>
/// What the database says of the whole registry, observed when somebody looks. Every process reports the same, so dashboards and alerts
/// take the maximum over processes.
/// </summary>
public sealed class StandingGauges : IDisposable
{
    private readonly StandingCache _standing;
    private readonly Meter _meter = new(Tracing.Name);

    // A series that was seen once is reported as zero from then on: one that vanished would leave its alert without an end.
    private readonly HashSet<(string Kind, string Target)> _targets = [];
    private readonly HashSet<(string Stage, string Kind)> _failures = [];

    /// <summary>Makes the instruments.</summary>
    public StandingGauges(StandingCache standing)
    {
        _standing = standing;
        _meter.CreateObservableGauge("pipeline.stage.age_of_oldest", StageAges, "s", "Age of the oldest row that waits for a stage; 0: none waits");
        _meter.CreateObservableGauge("pipeline.stage.waiting", StagesWaiting, "{row}", "Rows that wait for a stage");
        _meter.CreateObservableGauge("pipeline.projection.lag", Lags, "s", "How long a projection has lagged on the crate it lags on longest; 0: on none");
        _meter.CreateObservableGauge("pipeline.projection.behind", Behind, "{crate}", "Crates that a projection lags on");
        _meter.CreateObservableGauge("pipeline.failed", Failed, "{failure}", "Open failures");
        _meter.CreateObservableGauge("pipeline.upstream.freshness", Freshness, "s", "How long ago the last good sync of each upstream ended; before the first, since it was added");
        _meter.CreateObservableGauge("pipeline.upstream.incident", Incidents, "{incident}", "1 while an upstream cannot be followed or is stale by its own interval, else 0");
        _meter.CreateObservableGauge("pipeline.reconcile.open", Differences, "{difference}", "Differences that the newest run of reconcile has left open; 0 before the first");
    }

    /// <inheritdoc/>
    public void Dispose() => _meter.Dispose();

    private IEnumerable<Measurement<double>> StageAges() => Now(static now => now.Stages).Select(static stage => new Measurement<double>(stage.OldestSeconds ?? 0, Tag(Tracing.Stage, stage.Stage)));

    private IEnumerable<Measurement<long>> StagesWaiting() => Now(static now => now.Stages).Select(static stage => new Measurement<long>(stage.Waiting, Tag(Tracing.Stage, stage.Stage)));

    private IEnumerable<Measurement<double>> Lags() => Projections().Select(static one => new Measurement<double>(one.LagSeconds ?? 0, Tags(one)));

    private IEnumerable<Measurement<long>> Behind() => Projections().Select(static one => new Measurement<long>(one.Behind, Tags(one)));

    private List<Measurement<long>> Failed()
    {
        if (Read() is not { } standing) return [];
        lock (_failures)
        {
            var open = standing.Failures.ToDictionary(static one => (one.Stage, one.Kind), static one => one.Count);
            _failures.UnionWith(open.Keys);
            return [.. _failures.Select(key => new Measurement<long>(open.GetValueOrDefault(key), Tag(Tracing.Stage, key.Stage), Tag("kind", key.Kind)))];
        }
    }

    private IEnumerable<Measurement<double>> Freshness() => Now(static now => now.Upstreams).Select(static one => new Measurement<double>(one.AgeSeconds, Tag("upstream", one.Name)));

    private IEnumerable<Measurement<long>> Incidents() => Now(static now => now.Upstreams).Select(static one => new Measurement<long>(one.Incident is null ? 0 : 1, Tag("upstream", one.Name)));

    private IEnumerable<Measurement<long>> Differences() => Read() is { } standing ? [new Measurement<long>(standing.Reconcile?.Open ?? 0)] : [];

    private List<ProjectionStanding> Projections()
    {
        if (Read() is not { } standing) return [];
        lock (_targets)
        {
            var known = standing.Projections.ToDictionary(static one => (one.Kind, one.Target));
            _targets.UnionWith(known.Keys);
            return [.. _targets.Select(key => known.GetValueOrDefault(key) ?? new ProjectionStanding(key.Kind, key.Target, 0, null, 0, 0))];
        }
    }

    private IEnumerable<T> Now<T>(Func<Standing, IReadOnlyList<T>> part) => Read() is { } standing ? part(standing) : [];

    // Instruments are observed on a thread of the exporter's own, or, for a scrape, right after the standing was read without waiting.
    private Standing? Read() => _standing.ReadAsync().AsTask().GetAwaiter().GetResult();

    private static KeyValuePair<string, object?> Tag(string key, string value) => new(key, value);

    private static KeyValuePair<string, object?>[] Tags(ProjectionStanding one) =>
        one.Target.Length == 0 ? [Tag("kind", one.Kind)] : [Tag("kind", one.Kind), Tag("target", one.Target)];
}
