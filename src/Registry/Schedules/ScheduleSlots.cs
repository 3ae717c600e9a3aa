using Pipeline.Registry.Database;

namespace Pipeline.Registry.Schedules;

/// <summary>Remembers which slots' work is done. A scheduler that dies has its command sent again by another: its handler finds the slot here and does nothing.</summary>
public sealed class ScheduleSlots(IDatabase database, ScheduleOptions options)
{
    private readonly long _kept = Microseconds.Of(TimeSpan.FromHours(options.KeepSlotsHours));

    /// <summary>Whether a slot's work is done. A command without a slot was not sent by a schedule: it is always new.</summary>
    public async ValueTask<bool> IsDoneAsync(string schedule, DateTimeOffset? slot, CancellationToken cancellationToken = default)
    {
        if (slot is not { } at) return false;
        var time = Microseconds.Of(at);
        return await database.ReadAsync(
            sql => sql.LongAsync("SELECT 1 FROM schedule_slots WHERE schedule = $1 AND slot = $2", schedule, time), cancellationToken).ConfigureAwait(false) is not null;
    }

    /// <summary>Notes that a slot's work is done, last of all, and forgets old ones.</summary>
    public async ValueTask DoneAsync(string schedule, DateTimeOffset? slot)
    {
        if (slot is not { } at) return;
        var time = Microseconds.Of(at);
        await database.WriteAsync(async sql =>
        {
            await sql.ExecuteAsync("DELETE FROM schedule_slots WHERE schedule = $1 AND slot < $2", schedule, time - _kept).ConfigureAwait(false);
            return await sql.ExecuteAsync(
                "INSERT INTO schedule_slots (schedule, slot, done_at) VALUES ($1, $2, now_us()) ON CONFLICT (schedule, slot) DO NOTHING", schedule, time).ConfigureAwait(false);
        }).ConfigureAwait(false);
    }
}
