using System.Globalization;
using Pipeline.Tests.Chaos.Shapes;

namespace Pipeline.Tests.Chaos.Faults;

/// <summary>SIGKILL: at a moment of work, or at a step boundary that the process is started to die at.</summary>
internal sealed class Kills(Fleet fleet, Work work, Tally tally, Random random)
{
    /// <summary>Kills of every role that the registry has.</summary>
    public IReadOnlyList<Fault> All(int target)
    {
        foreach (var process in fleet.Processes) process.DiedAtPoint += () => tally.Note(Kind(process.Role), true);
        return [.. fleet.Processes.Select(process => process.Role).Distinct().Select(role => new Fault(Kind(role), target, () => KillAsync(role)))];
    }

    private static string Kind(string role) => $"SIGKILL {role}";

    private async Task<bool> KillAsync(string role)
    {
        var victims = fleet.Processes.Where(process => process.Role == role).ToArray();
        Random.Shared.Shuffle(victims);
        // Now and then the whole role.
        var count = Next(4) == 0 ? victims.Length : 1;
        var works = await work.WaitAsync(role);
        await Task.Delay(Next(20));
        var killed = await Task.WhenAll(victims.Take(count).Select(victim => victim.KillAndStartAsync(TimeSpan.FromMilliseconds(Next(500)), [.. Arm(victim)])));
        return works && killed.Contains(true);
    }

    private IEnumerable<(string, string)> Arm(RoleProcess victim)
    {
        if (victim.Points.Count == 0 || Next(2) == 0) yield break;
        yield return ("PIPELINE_DIE_AT", string.Create(CultureInfo.InvariantCulture, $"{victim.Points[Next(victim.Points.Count)]}:{1 + Next(8)}"));
    }

    private int Next(int below)
    {
        lock (random) return random.Next(below);
    }
}
