namespace Pipeline.Tests.Chaos.Faults;

/// <summary>How often each fault must bite.</summary>
/// <param name="Kills">SIGKILL, for each role.</param>
/// <param name="Others">Every other kind.</param>
internal sealed record FaultTargets(int Kills, int Others)
{
    /// <summary>What a run must reach.</summary>
    public static readonly FaultTargets Full = new(10, 5);

    /// <summary>For planted bugs and for work on the suite.</summary>
    public static readonly FaultTargets Gentle = new(6, 1);
}
