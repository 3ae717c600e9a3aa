using Pipeline.Registry.Posix;

namespace Pipeline.Registry.Faults;

/// <summary>
/// The boundaries between the steps of the pipeline. Tests name one in <c>PIPELINE_DIE_AT</c> (<c>NAME</c> or <c>NAME:3</c> for the third
/// passage) and the process ends there as SIGKILL ends it; whatever was not durable by then is lost. Without the variable a point costs
/// one comparison.
/// </summary>
public static class FaultPoints
{
    /// <summary>Every point, in the order a publish passes them. The kill test walks this list.</summary>
    public static readonly IReadOnlyList<string> All =
    [
        "intake.staged", "intake.parked", "intake.rung",
        "tarball.read", "tarball.written", "tarball.rung",
        "manifest.decided", "manifest.reserved", "manifest.stored", "manifest.noted", "manifest.recorded", "manifest.rung",
        "git.planned", "git.committed", "git.reached",
        "sparse.claimed", "sparse.rendered", "sparse.written", "sparse.closed",
    ];

    private static readonly string? DieAt = Environment.GetEnvironmentVariable("PIPELINE_DIE_AT")?.Split(':')[0];
    private static int s_left = Environment.GetEnvironmentVariable("PIPELINE_DIE_AT")?.Split(':') is [_, var count] ? int.Parse(count, System.Globalization.CultureInfo.InvariantCulture) : 1;

    /// <summary>Passes a point.</summary>
    public static void Reach(string point)
    {
        if (DieAt is not null && DieAt == point && Interlocked.Decrement(ref s_left) == 0) Libc.KillSelf();
    }
}
