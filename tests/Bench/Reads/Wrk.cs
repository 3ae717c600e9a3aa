using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Pipeline.Bench.Reads;

/// <summary>What a load came to.</summary>
/// <param name="Requests">How many were answered.</param>
/// <param name="Seconds">In which time.</param>
internal sealed record LoadResult(double Requests, double Seconds)
{
    /// <summary>How many a second.</summary>
    public double Rate => Requests / Seconds;
}

/// <summary>The load generator wrk: 64 kept-alive connections on one thread, which leaves the processor to the server.</summary>
/// <param name="folder">A folder of its own.</param>
internal sealed partial class Wrk(string folder)
{
    private const int Clients = 64;

    // The requests are put together beforehand, so that sending one costs next to nothing. Each line of the list is a path and the tag to send along.
    private const string Script =
        """
        local requests, next = {}, 0
        function init(args)
            local headers = { Host = "127.0.0.1" }
            if args[2] == "gzip" then headers["Accept-Encoding"] = "gzip" end
            for line in io.lines(args[1]) do
                local path, tag = line:match("^(%S+)%s*(.*)$")
                headers["If-None-Match"] = tag ~= "" and tag or nil
                requests[#requests + 1] = wrk.format("GET", path, headers)
            end
        end
        function request()
            next = next % #requests + 1
            return requests[next]
        end
        """;

    /// <summary>Asks for all of a list, over and over.</summary>
    /// <param name="port">Where.</param>
    /// <param name="lines">Paths, each with the tag to send along, if any.</param>
    /// <param name="seconds">How long.</param>
    /// <param name="gzip">Whether gzip is accepted.</param>
    public LoadResult Run(int port, IReadOnlyList<string> lines, int seconds, bool gzip = false)
    {
        var (script, list) = (Path.Combine(folder, "requests.lua"), Path.Combine(folder, "requests"));
        File.WriteAllText(script, Script);
        File.WriteAllLines(list, lines);
        var start = new ProcessStartInfo(
            "wrk", ["-t", "1", "-c", Text(Clients), "-d", $"{seconds}s", "--timeout", "30s", "-s", script, $"http://127.0.0.1:{port}", "--", list, gzip ? "gzip" : "plain"])
        { RedirectStandardOutput = true };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        var total = Totals().Match(output);
        if (!total.Success || output.Contains("Non-2xx", StringComparison.Ordinal) || output.Contains("Socket errors", StringComparison.Ordinal))
            throw new InvalidOperationException($"the load went wrong: {output}");
        return new LoadResult(Number(total.Groups[1]), Number(total.Groups[2]) * (total.Groups[3].Value == "m" ? 60 : 1));
    }

    [GeneratedRegex(@"(\d+) requests in ([\d.]+)(s|m),")]
    private static partial Regex Totals();

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static double Number(Group group) => double.Parse(group.ValueSpan, CultureInfo.InvariantCulture);
}
