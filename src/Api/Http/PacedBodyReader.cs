using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;

namespace Pipeline.Api.Http;

/// <summary>
/// The body of a request that must keep up a least rate while it is waited for. The server's own least rate is an average from the start of
/// the body: a megabyte at once would buy an hour of silence.
/// </summary>
internal sealed class PacedBodyReader(PipeReader inner, TimeProvider clock) : PipeReader
{
    /// <summary>The least bytes per second.</summary>
    public const long BytesPerSecond = 240;

    /// <summary>The longest silence.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly Pace _pace = new(Patience);
    private ReadOnlySequence<byte> _shown;
    private long _left;

    /// <inheritdoc/>
    /// <exception cref="BadHttpRequestException">The body comes too slowly.</exception>
    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        var reading = inner.ReadAsync(cancellationToken);
        if (!reading.IsCompletedSuccessfully) return WaitAsync(reading, cancellationToken);
        // What has arrived already, as all of a small body has, costs no more than this.
        var result = reading.Result;
        return result.IsCanceled ? WaitAsync(ValueTask.FromResult(result), cancellationToken) : ValueTask.FromResult(Take(result));
    }

    /// <inheritdoc/>
    public override bool TryRead(out ReadResult result)
    {
        if (!inner.TryRead(out result)) return false;
        Take(result);
        return true;
    }

    /// <inheritdoc/>
    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    /// <inheritdoc/>
    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        _left = _shown.Slice(consumed).Length;
        _shown = default;
        inner.AdvanceTo(consumed, examined);
    }

    /// <inheritdoc/>
    public override void CancelPendingRead() => inner.CancelPendingRead();

    /// <inheritdoc/>
    public override void Complete(Exception? exception = null) => inner.Complete(exception);

    private async ValueTask<ReadResult> WaitAsync(ValueTask<ReadResult> reading, CancellationToken cancellationToken)
    {
        while (true)
        {
            if (_pace.IsOver) throw TooSlow();
            var started = clock.GetTimestamp();
            var alarm = new Alarm(inner);
            ReadResult result;
            var timer = clock.CreateTimer(static state => ((Alarm)state!).Ring(), alarm, _pace.Left, Timeout.InfiniteTimeSpan);
            await using (timer.ConfigureAwait(false))
            {
                result = await reading.ConfigureAwait(false);
            }

            _pace.Waited(clock.GetElapsedTime(started));
            if (!result.IsCanceled) return Take(result);
            // An alarm that rang in the moment in which the bytes came cancels the next read instead: that one is only repeated.
            inner.AdvanceTo(result.Buffer.Start, result.Buffer.End);
            if (alarm.HasRung) throw TooSlow();
            reading = inner.ReadAsync(cancellationToken);
        }
    }

    private ReadResult Take(ReadResult result)
    {
        _shown = result.Buffer;
        _pace.Moved(result.Buffer.Length - _left, BytesPerSecond);
        return result;
    }

    private static BadHttpRequestException TooSlow() => new("the request body comes too slowly", StatusCodes.Status408RequestTimeout);

    private sealed class Alarm(PipeReader reader)
    {
        public bool HasRung { get; private set; }

        public void Ring()
        {
            HasRung = true;
            reader.CancelPendingRead();
        }
    }
}
