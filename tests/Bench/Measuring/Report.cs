using System.Globalization;
using System.Text.Json;

namespace Pipeline.Bench.Measuring;

/// <summary>One measured value.</summary>
/// <param name="Name">What was measured.</param>
/// <param name="Value">How much of it.</param>
/// <param name="Unit">In which unit.</param>
/// <param name="Limit">The cheapest way to do the same work, measured in the same run, in the same unit.</param>
/// <param name="Figure">What the design asks for, in words.</param>
internal sealed record Measured(string Name, double Value, string Unit, double? Limit = null, string? Figure = null)
{
    /// <summary>How many times the limit.</summary>
    public double? Ratio => Limit is > 0 ? Value / Limit : null;
}

/// <summary>The rows of a run, printed as a table or as JSON.</summary>
internal sealed class Report
{
    private static readonly string[] Head = ["name", "value", "unit", "limit", "ratio", "figure"];

    private readonly List<Measured> _rows = [];

    /// <summary>Adds a row, and shows it at once on standard error, where it does not mix with the result.</summary>
    public void Add(Measured row)
    {
        _rows.Add(row);
        Console.Error.WriteLine($"  {row.Name}: {Text(row.Value)} {row.Unit}{(row.Ratio is { } ratio ? $" ({Text(ratio)} x)" : "")}");
    }

    /// <summary>Says what is going on.</summary>
    public static void Say(string text) => Console.Error.WriteLine(text);

    /// <summary>Prints all rows.</summary>
    public void Print(TextWriter output, bool json)
    {
        if (json) PrintJson(output);
        else PrintTable(output);
    }

    private void PrintJson(TextWriter output)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true }))
        {
            writer.WriteStartArray();
            foreach (var row in _rows)
            {
                writer.WriteStartObject();
                writer.WriteString("name", row.Name);
                writer.WriteNumber("value", Math.Round(row.Value, 4));
                writer.WriteString("unit", row.Unit);
                if (row.Limit is { } limit) writer.WriteNumber("limit", Math.Round(limit, 4));
                if (row.Ratio is { } ratio) writer.WriteNumber("ratio", Math.Round(ratio, 3));
                if (row.Figure is { } figure) writer.WriteString("figure", figure);
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
        }

        output.WriteLine(System.Text.Encoding.UTF8.GetString(buffer.ToArray()));
    }

    private void PrintTable(TextWriter output)
    {
        var table = new List<string[]> { Head };
        foreach (var row in _rows) table.Add([row.Name, Text(row.Value), row.Unit, Text(row.Limit), Text(row.Ratio), row.Figure ?? ""]);
        var widths = Enumerable.Range(0, Head.Length).Select(column => table.Max(line => line[column].Length)).ToArray();
        foreach (var line in table)
        {
            // Numbers to the right, words to the left.
            var cells = line.Select((cell, column) => column is 1 or 3 or 4 ? cell.PadLeft(widths[column]) : cell.PadRight(widths[column]));
            output.WriteLine(string.Join("  ", cells).TrimEnd());
        }
    }

    private static string Text(double? value) => value switch
    {
        null => "",
        >= 100 => value.Value.ToString("0", CultureInfo.InvariantCulture),
        >= 10 => value.Value.ToString("0.0", CultureInfo.InvariantCulture),
        _ => value.Value.ToString("0.000", CultureInfo.InvariantCulture),
    };
}
