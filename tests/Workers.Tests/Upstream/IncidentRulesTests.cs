using Pipeline.Registry.Options;
using Pipeline.Workers.Upstream;

namespace Pipeline.Workers.Tests.Upstream;

/// <summary>When an incident of an upstream begins and ends.</summary>
public sealed class IncidentRulesTests
{
    // age, interval, failed, parked, removed, open, good since
    [Theory]
    [InlineData(0, 60, 0, false, false, false, false, IncidentStep.None)]
    [InlineData(1800, 60, 2, false, false, false, false, IncidentStep.None)]
    [InlineData(10, 60, 3, false, false, false, false, IncidentStep.Failing)]
    [InlineData(10, 60, 1, true, false, false, false, IncidentStep.Failing)]
    [InlineData(1801, 60, 0, false, false, false, false, IncidentStep.Stale)]
    [InlineData(1801, 3600, 0, false, false, false, false, IncidentStep.None)]
    [InlineData(10801, 3600, 0, false, false, false, false, IncidentStep.Stale)]
    [InlineData(99999, 60, 9, true, false, false, false, IncidentStep.Failing)]
    [InlineData(99999, 60, 9, true, true, false, false, IncidentStep.None)]
    [InlineData(99999, 60, 9, true, false, true, false, IncidentStep.None)]
    [InlineData(10, 60, 0, false, false, true, false, IncidentStep.None)]
    [InlineData(10, 60, 0, false, false, true, true, IncidentStep.Recovered)]
    [InlineData(10, 60, 1, false, false, true, true, IncidentStep.None)]
    [InlineData(99999, 60, 9, true, true, true, false, IncidentStep.Dropped)]
    public void An_incident_begins_once_and_ends_with_a_good_sync(
        double age, double every, long failed, bool parked, bool removed, bool open, bool goodSince, IncidentStep step) =>
        IncidentRules.Decide(new UpstreamHealth(age, every, failed, parked, removed, open, goodSince), new UpstreamOptions()).ShouldBe(step);
}
