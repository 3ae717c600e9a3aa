using Pipeline.Registry.Bus;

namespace Pipeline.Registry.Schedules;

/// <summary>Something that happens every so often. A schedule does nothing but send its command; the work is a worker's.</summary>
/// <param name="Name">Its name, which its slots are filed under: the command's queue.</param>
/// <param name="Every">The time from one slot to the next, whole seconds. Slots lie at multiples of it, whoever counts them.</param>
/// <param name="Ring">Sends the command, with its slot; without one at the start of a process.</param>
public sealed record Schedule(string Name, TimeSpan Every, Func<IDoorbell, DateTimeOffset?, ValueTask> Ring)
{
    /// <summary>Makes one.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="seconds">The time between two slots.</param>
    /// <param name="key">The configuration key that says so, for the error.</param>
    /// <param name="ring">Sends the command.</param>
    /// <exception cref="InvalidOperationException">Slots are told apart by the second, so they cannot be closer.</exception>
    public static Schedule Of(string name, double seconds, string key, Func<IDoorbell, DateTimeOffset?, ValueTask> ring) =>
        seconds >= 1 ? new Schedule(name, TimeSpan.FromSeconds(Math.Round(seconds)), ring) : throw new InvalidOperationException($"{key} must be at least 1");

    /// <summary>The first slot after a moment.</summary>
    public DateTimeOffset After(DateTimeOffset now) => new((now.UtcTicks / Every.Ticks * Every.Ticks) + Every.Ticks, TimeSpan.Zero);

    /// <summary>The slot of a firing. A firing that is made up for a dead scheduler's is some milliseconds off.</summary>
    public static DateTimeOffset SlotOf(DateTimeOffset scheduled) =>
        new((scheduled.UtcTicks + (TimeSpan.TicksPerSecond / 2)) / TimeSpan.TicksPerSecond * TimeSpan.TicksPerSecond, TimeSpan.Zero);
}

/// <summary>The schedules of this program, by name.</summary>
public sealed class ScheduleList(IReadOnlyList<Schedule> schedules)
{
    /// <summary>All of them.</summary>
    public IReadOnlyList<Schedule> All => schedules;

    /// <summary>One; null: a newer or older process knows it, this one does not.</summary>
    public Schedule? Find(string name) => schedules.FirstOrDefault(schedule => schedule.Name == name);
}
