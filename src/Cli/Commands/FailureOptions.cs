using System.CommandLine;
using System.CommandLine.Parsing;

namespace Pipeline.Cli.Commands;

/// <summary>The options that choose failures, for `failed list` and `failed replay`.</summary>
internal sealed class FailureOptions
{
    private static readonly string[] Kinds = ["reject", "transient", "fault"];

    public FailureOptions() => Kind.AcceptOnlyFromAmong(Kinds);

    public Option<string?> Stage { get; } = new("--stage") { Description = "Only those of one stage", HelpName = "STAGE" };

    public Option<string?> Code { get; } = new("--code") { Description = "Only those with a code", HelpName = "CODE" };

    public Option<string?> Kind { get; } = new("--kind") { Description = $"Only those of a kind: {string.Join(", ", Kinds)}", HelpName = "KIND" };

    public Option<string?> Key { get; } = new("--key") { Description = "Only those about one publish id, crate id or cache", HelpName = "KEY" };

    public Option<DateTime?> Since { get; } = CommonOptions.Time("--since", "Only those seen since then", ahead: false);

    public Option<DateTime?> Until { get; } = CommonOptions.Time("--until", "Only those seen last before then", ahead: false);

    /// <summary>Whether any of them is given.</summary>
    public bool Any(CommandResult result) => ((Option[])[Stage, Code, Kind, Key, Since, Until]).Any(option => result.GetResult(option) is not null);

    /// <summary>The path that lists what they choose.</summary>
    public string Path(ParseResult parsed, params (string Name, object? Value)[] more) => CommonOptions.Path(
        $"failures",
        [
            ("stage", parsed.GetValue(Stage)),
            ("code", parsed.GetValue(Code)),
            ("kind", parsed.GetValue(Kind)),
            ("key", parsed.GetValue(Key)),
            ("since", parsed.GetValue(Since)),
            ("until", parsed.GetValue(Until)),
            .. more,
        ]);
}
