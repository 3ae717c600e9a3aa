using Pipeline.Registry.Bus;

namespace Pipeline.Registry.Tests.Bus;

public sealed class StageGaugeTests
{
    [Fact]
    public void Bells_are_taken_up_to_the_capacity_and_then_refused()
    {
        var gauge = new StageGauge(2);
        for (var i = 0; i < 2; i++)
        {
            gauge.HasRoom().ShouldBeTrue();
            gauge.Enter();
        }

        gauge.HasRoom().ShouldBeFalse();
        new QueueLevel(gauge.Waiting, gauge.Capacity).Free.ShouldBe(0);
    }

    [Fact]
    public void After_a_refusal_newer_bells_stay_refused_until_the_sweep_has_caught_up()
    {
        var gauge = new StageGauge(1);
        gauge.Enter();
        gauge.HasRoom().ShouldBeFalse();

        gauge.Leave().ShouldBeTrue();
        gauge.HasRoom().ShouldBeFalse();
        gauge.CaughtUp();

        gauge.HasRoom().ShouldBeTrue();
    }

    [Fact]
    public void A_stage_that_refused_nothing_asks_for_no_sweep()
    {
        var gauge = new StageGauge(4);
        gauge.Enter();

        gauge.Leave().ShouldBeFalse();
    }
}
