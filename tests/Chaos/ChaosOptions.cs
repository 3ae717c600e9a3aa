using System.Globalization;

namespace Pipeline.Tests.Chaos;

/// <summary>What is to be run.</summary>
/// <param name="Seed">Where everything random comes from, the moments of the machine aside.</param>
/// <param name="Publishes">The fewest publishes and yanks per shape.</param>
/// <param name="Minutes">Rounds with further seeds follow until so many minutes have passed; null: one round.</param>
/// <param name="Shapes">The shapes, in order.</param>
/// <param name="Plants">Bugs to switch on, one run each; empty: none, and every law must hold.</param>
/// <param name="Gentle">Whether only few faults of each kind are enough: for planted bugs and while the suite itself is worked on.</param>
/// <param name="Keep">Whether data and logs stay for somebody to look at.</param>
internal sealed record ChaosOptions(int Seed, int Publishes, double? Minutes, IReadOnlyList<string> Shapes, IReadOnlyList<string> Plants, bool Gentle, bool Keep)
{
    private const string Usage =
        "usage: ops/test chaos [--seed N] [--publishes N] [--minutes N] [--shape standalone|distributed] [--plant all|BUG,…] [--gentle] [--keep]";

    /// <summary>The shapes there are.</summary>
    public static readonly IReadOnlyList<string> AllShapes = ["standalone", "distributed"];

    /// <summary>Reads the command line.</summary>
    /// <exception cref="ArgumentException">It cannot be understood; the text says how it is written.</exception>
    public static ChaosOptions Parse(IReadOnlyList<string> arguments)
    {
        var options = new ChaosOptions(Random.Shared.Next(1, 1_000_000), 2000, null, AllShapes, [], false, false);
        for (var i = 0; i < arguments.Count; i++)
        {
            string Value() => ++i < arguments.Count ? arguments[i] : throw new ArgumentException(Usage);
            options = arguments[i] switch
            {
                "--seed" => options with { Seed = Number(Value()) },
                "--publishes" => options with { Publishes = Number(Value()) },
                "--minutes" => options with { Minutes = Number(Value()) },
                "--shape" => options with { Shapes = [OneOf(Value(), AllShapes)] },
                "--plant" => options with { Plants = PlantsOf(Value()) },
                "--gentle" => options with { Gentle = true },
                "--keep" => options with { Keep = true },
                _ => throw new ArgumentException(Usage),
            };
        }

        return options;
    }

    private static IReadOnlyList<string> PlantsOf(string text)
    {
        var all = Registry.Faults.PlantedBugs.All;
        return text == "all" ? all : [.. text.Split(',').Select(name => OneOf(name, all))];
    }

    private static string OneOf(string value, IReadOnlyList<string> known) =>
        known.Contains(value) ? value : throw new ArgumentException($"there is no {value}; there are: {string.Join(", ", known)}\n{Usage}");

    private static int Number(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0 ? number : throw new ArgumentException(Usage);
}
