using System.Globalization;

namespace Pipeline.Bench.Measuring;

/// <summary>
/// What a process has cost: its own CPU, that of its children that have ended and were waited for, and that of the living ones. So a git
/// that the server starts counts, whenever it is looked at.
/// </summary>
internal sealed class ProcessCpu(int process)
{
    private const double TicksPerSecond = 100; // USER_HZ, the same on every Linux that .NET runs on

    /// <summary>This process.</summary>
    public static ProcessCpu Own { get; } = new(Environment.ProcessId);

    /// <summary>The CPU seconds so far.</summary>
    public double Seconds()
    {
        var all = Processes();
        double sum = 0;
        foreach (var (id, stat) in all)
        {
            if (id == process || IsBelow(stat, all)) sum += stat.Ticks;
        }

        return sum / TicksPerSecond;
    }

    /// <summary>The resident memory in MiB, and its peak.</summary>
    public (double Now, double Peak) Memory()
    {
        double now = 0, peak = 0;
        foreach (var line in File.ReadLines($"/proc/{process}/status"))
        {
            if (line.StartsWith("VmRSS:", StringComparison.Ordinal)) now = Kilobytes(line);
            else if (line.StartsWith("VmHWM:", StringComparison.Ordinal)) peak = Kilobytes(line);
        }

        return (now / 1024, peak / 1024);
    }

    /// <summary>Forgets the peak of this process's memory.</summary>
    public static void ForgetPeak() => File.WriteAllText("/proc/self/clear_refs", "5");

    private static double Kilobytes(string line) =>
        double.Parse(line.AsSpan(line.IndexOf(':', StringComparison.Ordinal) + 1).Trim().TrimEnd("kB "), CultureInfo.InvariantCulture);

    private bool IsBelow(Stat stat, Dictionary<int, Stat> all)
    {
        for (var depth = 0; depth < 16; depth++)
        {
            if (stat.Parent == process) return true;
            if (!all.TryGetValue(stat.Parent, out stat)) return false;
        }

        return false;
    }

    private static Dictionary<int, Stat> Processes()
    {
        var all = new Dictionary<int, Stat>();
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var id) && Read(folder) is { } stat) all[id] = stat;
        }

        return all;
    }

    private static Stat? Read(string folder)
    {
        try
        {
            var text = File.ReadAllText(Path.Combine(folder, "stat"));
            // The program's name stands in brackets and may hold anything; the fields behind it do not.
            var fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
            var ticks = Number(fields[11]) + Number(fields[12]) + Number(fields[13]) + Number(fields[14]);
            return new Stat((int)Number(fields[1]), ticks);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It has ended between the listing and the reading; its parent has its time.
            return null;
        }
    }

    private static long Number(string field) => long.Parse(field, CultureInfo.InvariantCulture);

    private readonly record struct Stat(int Parent, long Ticks);
}
