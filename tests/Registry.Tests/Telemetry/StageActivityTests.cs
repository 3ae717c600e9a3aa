using Pipeline.Registry.Telemetry;

namespace Pipeline.Registry.Tests.Telemetry;

public sealed class StageActivityTests
{
    [Fact]
    public void What_is_worked_on_and_what_was_moved_in_the_last_minute_is_counted()
    {
        var clock = new ManualClock();
        var activity = new StageActivity(clock);
        activity.Begin("a");
        activity.Begin("a");
        activity.End("a", 5);
        clock.Advance(TimeSpan.FromSeconds(30));
        activity.Begin("a");
        activity.End("a", 2);
        activity.Begin("b");
        activity.End("b", 0);

        activity.Now().OrderBy(now => now.Stage).ShouldBe([new StageNow("a", 1, 7), new StageNow("b", 0, 0)]);

        clock.Advance(TimeSpan.FromSeconds(30));
        activity.Now().Single(now => now.Stage == "a").DonePerMinute.ShouldBe(2);

        // Half a minute later a slot of the ring is used again for another second.
        clock.Advance(TimeSpan.FromSeconds(29));
        activity.Begin("a");
        activity.End("a", 1);
        activity.Now().Single(now => now.Stage == "a").DonePerMinute.ShouldBe(3);
    }
}
