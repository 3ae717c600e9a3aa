using System.Globalization;
using System.Text;
using Pipeline.Contracts;

namespace Pipeline.Workers.Manifests.Toml;

/// <summary>What is wrong with a TOML text, and where; rendered as crates.io shows it (crates-io-behaviour §2.5).</summary>
public sealed class TomlError
{
    private readonly string _text;

    /// <summary>An error at a place of a text.</summary>
    /// <param name="text">The whole text that was read.</param>
    /// <param name="message">What is wrong: one sentence without a full stop.</param>
    /// <param name="span">The place, or null when it is the text as a whole.</param>
    public TomlError(string text, string message, TomlSpan? span)
    {
        _text = text;
        Message = message;
        Span = span;
        (Line, Column) = span is { } place ? Locate(text, place.Start) : (0, 0);
    }

    /// <summary>What is wrong: one sentence without a full stop.</summary>
    public string Message { get; }

    /// <summary>The place, or null when the error has none.</summary>
    public TomlSpan? Span { get; }

    /// <summary>The line of the place, from 1; 0 without a place.</summary>
    public int Line { get; }

    /// <summary>The column of the place in characters (code points), from 1; 0 without a place.</summary>
    public int Column { get; }

    /// <summary>
    /// The message below a quotation of the line with carets under the place, and a line feed behind it. Without a place
    /// only the message. A very long line is not quoted.
    /// </summary>
    public string Render()
    {
        if (Span is not { } span)
            return Message + "\n";
        var number = Line.ToString(CultureInfo.InvariantCulture);
        var rendered = new StringBuilder()
            .Append(CultureInfo.InvariantCulture, $"TOML parse error at line {number}, column {Column}\n");
        var line = LineAt(_text, Line);
        // A manifest of one endless line must not become an endless answer.
        if (line.Length <= Quoted.MaxValue)
            Quote(rendered, number, line, Carets(span, line));
        return rendered.Append(Message).Append('\n').ToString();
    }

    /// <summary>The rendered error.</summary>
    public override string ToString() => Render();

    private void Quote(StringBuilder rendered, string number, ReadOnlySpan<char> line, int carets) => rendered
        .Append(' ', number.Length + 1).Append("|\n")
        .Append(number).Append(" | ").Append(line).Append('\n')
        .Append(' ', number.Length + 1).Append('|').Append(' ', Column).Append('^', carets).Append('\n');

    // As many as the span has on its first line, and one for a span that is empty or starts at the line's end.
    private int Carets(TomlSpan span, ReadOnlySpan<char> line)
    {
        var marked = CodePoints(_text.AsSpan(span.Start, span.End - span.Start));
        return Math.Max(1, Math.Min(marked, CodePoints(line) - (Column - 1)));
    }

    // The end of a text that ends with a line feed is shown behind its last line, not on an empty line after it.
    private static (int Line, int Column) Locate(string text, int offset)
    {
        if (text.Length == 0)
            return (1, 1);
        var within = Math.Min(offset, text.Length - 1);
        var before = text.AsSpan(0, within);
        var lineStart = before.LastIndexOf('\n') + 1;
        return (before.Count('\n') + 1, CodePoints(before[lineStart..]) + (offset - within) + 1);
    }

    private static ReadOnlySpan<char> LineAt(string text, int number)
    {
        var rest = text.AsSpan();
        for (var line = 1; line < number; line++)
            rest = rest[(rest.IndexOf('\n') + 1)..];
        var end = rest.IndexOf('\n');
        return (end < 0 ? rest : rest[..end]).TrimEnd('\r');
    }

    private static int CodePoints(ReadOnlySpan<char> text)
    {
        var count = text.Length;
        foreach (var unit in text)
        {
            if (char.IsLowSurrogate(unit))
                count--;
        }
        return count;
    }
}
