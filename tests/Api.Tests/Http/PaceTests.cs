using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;
using Pipeline.Api.Http;

namespace Pipeline.Api.Tests.Http;

public class PaceTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Fact]
    public void A_fast_beginning_buys_no_long_silence()
    {
        var pace = new Pace(20 * Second);
        pace.Moved(1_000_000, 240);

        pace.Left.ShouldBe(20 * Second);
        pace.Waited(20 * Second);
        pace.IsOver.ShouldBeTrue();
    }

    [Fact]
    public void Who_keeps_the_rate_may_go_on_for_ever()
    {
        var pace = new Pace(20 * Second);
        for (var i = 0; i < 1000; i++)
        {
            pace.Waited(10 * Second);
            pace.Moved(2400, 240);
        }

        pace.IsOver.ShouldBeFalse();
    }

    [Fact]
    public void Who_trickles_below_the_rate_is_over_soon()
    {
        var pace = new Pace(20 * Second);
        for (var i = 0; i < 21 && !pace.IsOver; i++)
        {
            pace.Waited(Second);
            pace.Moved(1, 240);
        }

        pace.IsOver.ShouldBeTrue();
    }

    [Fact]
    public async Task A_body_that_stops_coming_is_refused_when_the_patience_ends_and_not_before()
    {
        var (pipe, clock) = (new Pipe(), new AlarmClock());
        var reader = new PacedBodyReader(pipe.Reader, clock);
        await pipe.Writer.WriteAsync(new byte[10_000], TestContext.Current.CancellationToken);
        var first = await reader.ReadAsync(TestContext.Current.CancellationToken);
        reader.AdvanceTo(first.Buffer.End);

        var waiting = reader.ReadAsync(TestContext.Current.CancellationToken).AsTask();
        clock.Due.ShouldBe(PacedBodyReader.Patience);
        clock.Advance(PacedBodyReader.Patience - Second);
        waiting.IsCompleted.ShouldBeFalse();
        clock.Advance(Second);

        (await Should.ThrowAsync<BadHttpRequestException>(() => waiting)).StatusCode.ShouldBe(StatusCodes.Status408RequestTimeout);
    }

    [Fact]
    public async Task An_alarm_that_rings_as_the_bytes_come_loses_none_of_them()
    {
        var (pipe, clock) = (new Pipe(), new AlarmClock());
        var reader = new PacedBodyReader(pipe.Reader, clock);
        var waiting = reader.ReadAsync(TestContext.Current.CancellationToken).AsTask();
        await pipe.Writer.WriteAsync("abc"u8.ToArray(), TestContext.Current.CancellationToken);
        var result = await waiting;
        // What an alarm of the moment before would do.
        pipe.Reader.CancelPendingRead();
        reader.AdvanceTo(result.Buffer.Start, result.Buffer.End);

        var next = reader.ReadAsync(TestContext.Current.CancellationToken).AsTask();
        await pipe.Writer.WriteAsync("def"u8.ToArray(), TestContext.Current.CancellationToken);

        var both = await next;
        both.IsCanceled.ShouldBeFalse();
        both.Buffer.ToArray().ShouldBe("abcdef"u8.ToArray());
    }

    /// <summary>A clock that rings its one alarm when it is moved that far.</summary>
    private sealed class AlarmClock : TimeProvider
    {
        private long _now;
        private (Action Ring, TimeSpan At)? _alarm;

        public TimeSpan Due => _alarm!.Value.At - TimeSpan.FromTicks(_now);

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _now;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            _alarm = (() => callback(state), TimeSpan.FromTicks(_now) + dueTime);
            return new Alarm();
        }

        public void Advance(TimeSpan span)
        {
            _now += span.Ticks;
            if (_alarm is { } alarm && alarm.At.Ticks <= _now) alarm.Ring();
        }

        private sealed class Alarm : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period) => true;

            public void Dispose()
            {
            }

            public ValueTask DisposeAsync() => ValueTask.CompletedTask;
        }
    }
}
