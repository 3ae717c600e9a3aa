using System.Diagnostics;
using System.Globalization;
using Pipeline.Bench.Crates;
using Pipeline.Bench.Measuring;
using Pipeline.Bench.Publishing;

namespace Pipeline.Bench.Limits;

/// <summary>Limit: the web server taking the same bodies from the same clients.</summary>
internal static class SinkLimit
{
    /// <summary>The server's CPU per request, in milliseconds.</summary>
    public static double Measure(IReadOnlyList<PublishRequest> requests, int clients)
    {
        using var process = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, ["--role", SinkServer.Role]) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        try
        {
            var port = int.Parse(process.StandardOutput.ReadLine()!, CultureInfo.InvariantCulture);
            for (var i = 0; i < 4; i++) Load.Run(port, requests, clients);
            var cpu = new ProcessCpu(process.Id);
            var before = cpu.Seconds();
            var rounds = Math.Max(1, 8000 / requests.Count);
            for (var i = 0; i < rounds; i++) Load.Run(port, requests, clients);
            return (cpu.Seconds() - before) * 1000 / (rounds * requests.Count);
        }
        finally
        {
            process.StandardInput.Close();
            process.WaitForExit();
        }
    }
}
