using System.Text;
using Pipeline.Contracts;

namespace Pipeline.Cli.Output;

/// <summary>
/// What commands write to: everything they show may come from strangers, so no control character gets through. Only what draws on a
/// terminal takes the writer behind it, and makes its texts printable itself.
/// </summary>
/// <param name="inner">The writer behind it.</param>
internal sealed class PlainWriter(TextWriter inner) : TextWriter
{
    /// <inheritdoc/>
    public override Encoding Encoding => inner.Encoding;

    /// <summary>The writer behind a writer, if it is one of these.</summary>
    public static TextWriter Behind(TextWriter writer) => writer is PlainWriter plain ? plain.Inner : writer;

    /// <inheritdoc/>
    public override void Write(char value)
    {
        if (Printable.IsHarmless(value)) inner.Write(value);
        else inner.Write(Printable.Of(value.ToString()));
    }

    /// <inheritdoc/>
    public override void Write(string? value)
    {
        if (value is not null) inner.Write(Printable.Of(value));
    }

    /// <inheritdoc/>
    public override void Write(char[] buffer, int index, int count) => Write(new string(buffer, index, count));

    /// <inheritdoc/>
    public override void Write(ReadOnlySpan<char> buffer) => Write(buffer.ToString());

    /// <inheritdoc/>
    public override void Flush() => inner.Flush();

    private TextWriter Inner => inner;
}
