using System.Globalization;

namespace Pipeline.Bench.Measuring;

/// <summary>The command line: names, and options as <c>--name</c> or <c>--name VALUE</c>.</summary>
internal sealed class Arguments
{
    private static readonly string[] Switches = ["json", "no-limits"];

    private readonly Dictionary<string, string> _options = new(StringComparer.Ordinal);

    /// <summary>The benchmarks asked for; none: all.</summary>
    public List<string> Names { get; } = [];

    /// <summary>Reads a command line.</summary>
    public static Arguments Parse(string[] args)
    {
        var read = new Arguments();
        for (var i = 0; i < args.Length; i++)
        {
            if (!args[i].StartsWith("--", StringComparison.Ordinal)) read.Names.Add(args[i]);
            else if (Switches.Contains(args[i][2..])) read._options[args[i][2..]] = "";
            else if (i + 1 < args.Length) read._options[args[i][2..]] = args[++i];
            else throw new ArgumentException($"{args[i]} wants a value");
        }

        return read;
    }

    /// <summary>Whether an option was given.</summary>
    public bool Has(string option) => _options.ContainsKey(option);

    /// <summary>An option's value, or null.</summary>
    public string? Text(string option) => _options.GetValueOrDefault(option);

    /// <summary>An option's value as a number.</summary>
    public int Number(string option, int otherwise) =>
        _options.TryGetValue(option, out var text) ? int.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture) : otherwise;
}
