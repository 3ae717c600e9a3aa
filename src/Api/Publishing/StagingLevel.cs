using Pipeline.Registry.Database;
using Pipeline.Registry.Options;

namespace Pipeline.Api.Publishing;

/// <summary>
/// How full the staging is: the bytes of all undecided publishes. Above the high-water mark intake answers 503, so that a stage that
/// stands still fills no disk. Read every few seconds; what this process parks in between is counted on top.
/// </summary>
internal sealed class StagingLevel(IDatabase database, PublishOptions options, UnfinishedUploads unfinished, TimeProvider clock)
{
    private static readonly TimeSpan MaxAge = TimeSpan.FromSeconds(5);

    private long _bytes;
    private long _readAt;
    private int _reading;

    /// <summary>Whether the uploads that have begun fit.</summary>
    public async ValueTask<bool> HasRoomAsync(CancellationToken cancellationToken)
    {
        var readAt = Volatile.Read(ref _readAt);
        if ((readAt == 0 || clock.GetElapsedTime(readAt) > MaxAge) && Interlocked.Exchange(ref _reading, 1) == 0)
        {
            try
            {
                var now = clock.GetTimestamp();
                var bytes = await database.ReadAsync(sql => sql.LongAsync("SELECT coalesce(sum(size), 0) FROM publishes WHERE decided_at IS NULL"), cancellationToken).ConfigureAwait(false);
                Volatile.Write(ref _bytes, bytes ?? 0);
                Volatile.Write(ref _readAt, now);
            }
            finally
            {
                Volatile.Write(ref _reading, 0);
            }
        }

        return Volatile.Read(ref _bytes) + unfinished.Bytes <= options.StagingHighWaterBytes;
    }

    /// <summary>Counts bytes that were just parked.</summary>
    public void Parked(long size) => Interlocked.Add(ref _bytes, size);
}
