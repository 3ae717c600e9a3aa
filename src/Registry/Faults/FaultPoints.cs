using Pipeline.Registry.Posix;

namespace Pipeline.Registry.Faults;

/// <summary>
/// The boundaries between the steps of the pipeline. Tests name one in <c>PIPELINE_DIE_AT</c> (<c>NAME</c> or <c>NAME:3</c> for the third
/// passage) and the process ends there as SIGKILL ends it; whatever was not durable by then is lost. Or they name one in
/// <c>PIPELINE_PAUSE_AT</c> (<c>NAME:45</c>), and whoever passes it stands still for so many seconds. Or they name a file in <c>PIPELINE_FAIL_AT</c>: whoever passes a point that is a line of it, as long
/// as it is, fails there as a bug would. Without the variables a point costs
/// a comparison or two.
/// </summary>
public static class FaultPoints
{
    /// <summary>Every point, in the order a publish passes them. The kill test walks this list.</summary>
    public static readonly IReadOnlyList<string> All =
    [
        "intake.staged", "intake.parked", "intake.rung",
        "tarball.read", "tarball.written", "tarball.rung",
        "manifest.decided", "manifest.reserved", "manifest.stored", "manifest.noted", "manifest.recorded", "manifest.rung", "manifest.synced", "manifest.dropped",
        "git.planned", "git.committed", "git.reached",
        "sparse.claimed", "sparse.rendered", "sparse.written", "sparse.synced", "sparse.closed",
    ];

    /// <summary>Those that only a git index with a remote passes.</summary>
    public static readonly IReadOnlyList<string> OfRemote = ["git.adopted", "git.pushed"];

    /// <summary>Those outside the way of a publish.</summary>
    public static readonly IReadOnlyList<string> OfSchedules = ["schedule.fired"];

    /// <summary>Those of upkeep.</summary>
    public static readonly IReadOnlyList<string> OfUpkeep = ["rebuild.filled", "rebuild.page", "rebuild.swapping", "rebuild.swapped", "reconcile.page"];

    /// <summary>Those of a squash of the git index.</summary>
    public static readonly IReadOnlyList<string> OfSquash = ["squash.made", "squash.pushed", "squash.moved"];

    private static readonly string? DieAt = Environment.GetEnvironmentVariable("PIPELINE_DIE_AT")?.Split(':')[0];
    private static readonly string? PauseAt = Environment.GetEnvironmentVariable("PIPELINE_PAUSE_AT")?.Split(':')[0];
    private static readonly string? FailAt = Environment.GetEnvironmentVariable("PIPELINE_FAIL_AT");
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(Number("PIPELINE_PAUSE_AT"));
    private static (string Point, Action Act)? s_set;
    private static int s_left = Number("PIPELINE_DIE_AT");

    /// <summary>Passes a point.</summary>
    public static void Reach(string point)
    {
        if (DieAt is not null && DieAt == point && Interlocked.Decrement(ref s_left) == 0) Libc.KillSelf();
        if (PauseAt is not null && PauseAt == point) Thread.Sleep(Pause);
        if (FailAt is not null && File.Exists(FailAt) && File.ReadLines(FailAt).Contains(point)) throw new PlantedFaultException(point);
        if (s_set is { } set && set.Point == point)
        {
            s_set = null;
            set.Act();
        }
    }

    /// <summary>Does something at the next passage of a point, for a test inside the process: one at a time.</summary>
    public static void Set(string point, Action act) => s_set = (point, act);

    private static int Number(string variable) =>
        Environment.GetEnvironmentVariable(variable)?.Split(':') is [_, var number] ? int.Parse(number, System.Globalization.CultureInfo.InvariantCulture) : 1;
}
