using System.CommandLine.Parsing;
using System.Globalization;

namespace Pipeline.Cli.Replaying;

/// <summary>How fast to replay.</summary>
internal static class ReplayRate
{
    private const int MostAtOnce = 100;
    private const double RequestsPerSecond = 4;

    /// <summary>Reads <c>10/s</c> or <c>10</c>.</summary>
    public static double? Parse(ArgumentResult result)
    {
        var text = result.Tokens.Count == 1 ? result.Tokens[0].Value : "";
        var number = text.EndsWith("/s", StringComparison.Ordinal) ? text[..^2] : text;
        if (double.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var rate) && rate is > 0 and <= 1_000_000) return rate;
        result.AddError($"--rate: {text} is no rate; write 10/s");
        return null;
    }

    /// <summary>How many go into one request: some requests a second, so that a slow rate is even and a quick one cheap.</summary>
    public static int AtOnce(double? rate) => rate is { } limit ? (int)Math.Clamp(limit / RequestsPerSecond, 1, MostAtOnce) : MostAtOnce;

    /// <summary>How long to wait before the next request.</summary>
    /// <param name="rate">The rate; null: none.</param>
    /// <param name="done">How many were replayed.</param>
    /// <param name="since">In which time.</param>
    public static TimeSpan Wait(double? rate, int done, TimeSpan since) =>
        rate is { } limit && TimeSpan.FromSeconds(done / limit) - since is { Ticks: > 0 } wait ? wait : TimeSpan.Zero;
}
