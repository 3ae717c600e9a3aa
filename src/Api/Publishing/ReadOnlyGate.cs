using Pipeline.Contracts;
using Pipeline.Registry.Database;
using Pipeline.Registry.Truth;

namespace Pipeline.Api.Publishing;

/// <summary>
/// Whether uploads are taken at all: not by a registry that was restored and is read-only. That it does is known for a second, so that a
/// publish need not ask; what slips by waits until it may be decided (the reservation asks again).
/// </summary>
internal sealed class ReadOnlyGate(IDatabase database, TimeProvider clock)
{
    private static readonly TimeSpan Known = TimeSpan.FromSeconds(1);

    private Answer? _last;

    /// <summary>The refusal; null: uploads are taken.</summary>
    public async ValueTask<Reject?> CheckAsync(CancellationToken cancellationToken)
    {
        var last = Volatile.Read(ref _last);
        if (last is null || last.IsOn || clock.GetElapsedTime(last.Asked) > Known)
        {
            var asked = clock.GetTimestamp();
            last = new Answer(await database.ReadAsync(ReadOnlyState.IsOnAsync, cancellationToken).ConfigureAwait(false), asked);
            Volatile.Write(ref _last, last);
        }

        return last.IsOn ? new Reject(RejectCodes.ReadOnly, 503, ReadOnlyState.Text) : null;
    }

    private sealed record Answer(bool IsOn, long Asked);
}
