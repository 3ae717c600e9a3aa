using Pipeline.Contracts;
using Spectre.Console;

namespace Pipeline.Cli.Output;

/// <summary>What commands print for people.</summary>
internal static class Report
{
    /// <summary>Prints a table. Cells are plain text.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="empty">What to say when there are no rows.</param>
    /// <param name="columns">The headings; one that starts with <c>&gt;</c> is set to the right.</param>
    /// <param name="rows">The cells.</param>
    public static void Table(TextWriter output, string empty, string[] columns, IReadOnlyList<string?[]> rows)
    {
        if (rows.Count == 0)
        {
            output.WriteLine(empty);
            return;
        }

        var table = new Table().Border(TableBorder.Simple);
        foreach (var column in columns)
        {
            var heading = new TableColumn(new Text(column.TrimStart('>')));
            table.AddColumn(column.StartsWith('>') ? heading.RightAligned().NoWrap() : heading);
        }

        foreach (var row in rows) table.AddRow(Array.ConvertAll(row, cell => new Text(Printable.Of(cell ?? ""))));
        ConsoleOn(output).Write(table);
    }

    /// <summary>Prints named values, one a line; those that are null are left out.</summary>
    public static void Facts(TextWriter output, params (string Name, string? Value)[] facts)
    {
        var known = facts.Where(fact => fact.Value is not null).ToList();
        var width = known.Max(fact => fact.Name.Length);
        foreach (var (name, value) in known) output.WriteLine($"{name.PadRight(width)}  {value}");
    }

    /// <summary>A console on a writer. Output that is read by another program is not broken into lines of a screen's width.</summary>
    public static IAnsiConsole ConsoleOn(TextWriter output)
    {
        output = PlainWriter.Behind(output);
        var terminal = output == Console.Out && !Console.IsOutputRedirected;
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(output),
            Ansi = terminal ? AnsiSupport.Detect : AnsiSupport.No,
            Interactive = InteractionSupport.No,
        });
        if (!terminal) console.Profile.Width = 240;
        return console;
    }

    /// <summary>A console that may redraw what it showed: the writer is a terminal. Its texts must be printable.</summary>
    public static IAnsiConsole TerminalOn(TextWriter output) => AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(PlainWriter.Behind(output)) });
}
