using System.CommandLine;
using System.Text;
using Pipeline.Cli.Connection;
using Pipeline.Cli.Output;

namespace Pipeline.Cli.Commands;

/// <summary>Options and arguments that several commands share.</summary>
internal static class CommonOptions
{
    /// <summary>Output for machines, everywhere.</summary>
    public static readonly Option<bool> Json = new("--json") { Description = "Print the answer as JSON, for machines", Recursive = true };

    /// <summary>Do it without asking.</summary>
    public static Option<bool> Yes() => new("--yes", "-y") { Description = "Do not ask" };

    /// <summary>The crate a command is about.</summary>
    public static Argument<string> Crate() => new("NAME") { Description = "The crate" };

    /// <summary>A login.</summary>
    public static Argument<string> Login() => new("LOGIN") { Description = "The user's login" };

    /// <summary>How many rows to show.</summary>
    public static Option<int> Limit()
    {
        var limit = new Option<int>("--limit") { Description = "Show so many, at most 1,000", HelpName = "N", DefaultValueFactory = _ => 50 };
        limit.Validators.Add(static result =>
        {
            if (result.GetValueOrDefault<int>() is < 1 or > 1000) result.AddError("--limit is a number from 1 to 1000");
        });
        return limit;
    }

    /// <summary>Where the page before ended.</summary>
    public static Option<string?> Cursor() => new("--cursor") { Description = "Go on where the last answer ended", HelpName = "CURSOR" };

    /// <summary>A time: a date, a date and time, or a span from now.</summary>
    /// <param name="name">The option.</param>
    /// <param name="description">What it is for.</param>
    /// <param name="ahead">Whether a span counts into the future.</param>
    public static Option<DateTime?> Time(string name, string description, bool ahead) => new(name)
    {
        Description = $"{description}: 2026-12-31, 2026-12-31T18:00:00Z, or {(ahead ? "in" : "since")} 90d, 12h, 30m",
        HelpName = "WHEN",
        CustomParser = result =>
        {
            var text = result.Tokens.Count == 1 ? result.Tokens[0].Value : "";
            if (Times.TryParse(text, DateTime.UtcNow, ahead, out var time)) return time;
            result.AddError($"{name}: {text} is no time; write 2026-12-31, 2026-12-31T18:00:00Z or 90d");
            return null;
        },
    };

    /// <summary>Prints an answer: as JSON if asked for, else a sentence.</summary>
    public static int Say(Session session, ParseResult parsed, Answer answer, string sentence)
    {
        if (parsed.GetValue(Json)) return Print(session, answer);
        session.Output.WriteLine(sentence);
        return ExitCodes.Succeeded;
    }

    /// <summary>Prints an answer as JSON.</summary>
    public static int Print(Session session, Answer answer)
    {
        session.Output.WriteLine(Encoding.UTF8.GetString(answer.Json).TrimEnd());
        return ExitCodes.Succeeded;
    }

    /// <summary>Says how to see the next page, if there is one.</summary>
    public static int More(Session session, string? cursor)
    {
        if (cursor is not null) session.Error.WriteLine($"there are more: --cursor {cursor}");
        return ExitCodes.Succeeded;
    }

    /// <summary>Asks; only a yes goes on.</summary>
    /// <exception cref="CliException">The answer was no, or nobody is there to ask.</exception>
    public static void Confirm(Session session, string question)
    {
        if (session.Input is null) throw new CliException($"{question} Nobody is there to ask: say --yes");
        session.Error.Write($"{question} Type yes: ");
        if (session.Input.ReadLine()?.Trim() is not ("yes" or "y")) throw new CliException("nothing was done");
    }

    /// <summary>A path with escaped values and a query of those parameters that have one.</summary>
    public static string Path(FormattableString path, params (string Name, object? Value)[] query)
    {
        var values = Array.ConvertAll(path.GetArguments(), value => (object)Escape(value));
        var text = string.Format(System.Globalization.CultureInfo.InvariantCulture, path.Format, values);
        var joined = string.Join('&', query.Where(item => item.Value is not null).Select(item => $"{item.Name}={Escape(item.Value)}"));
        return joined.Length == 0 ? text : $"{text}?{joined}";
    }

    private static string Escape(object? value) => Uri.EscapeDataString(value switch
    {
        DateTime time => time.ToUniversalTime().ToString("O", System.Globalization.CultureInfo.InvariantCulture),
        _ => Convert.ToString(value, System.Globalization.CultureInfo.InvariantCulture) ?? "",
    });
}
