using System.Globalization;
using System.Runtime.CompilerServices;

namespace Pipeline.Contracts;

/// <summary>
/// The sentence of a refusal while it is put together: <c>$"no known crate named `{name}`"</c> where a <see cref="Sentence"/> is wanted cuts
/// each value by <see cref="Quoted"/>, and so does nobody else. A value that is a sentence itself is marked <c>{text:whole}</c>.
/// </summary>
[InterpolatedStringHandler]
public ref struct Sentence
{
    private const string Whole = "whole";

    private readonly string? _plain;
    private DefaultInterpolatedStringHandler _parts;

    /// <summary>Begins; called by the compiler.</summary>
    public Sentence(int literalLength, int formattedCount) => _parts = new DefaultInterpolatedStringHandler(literalLength, formattedCount, CultureInfo.InvariantCulture);

    private Sentence(string plain) => _plain = plain;

    /// <summary>A sentence that quotes nothing.</summary>
    public static implicit operator Sentence(string text) => new(text);

    /// <summary>Words of our own.</summary>
    public void AppendLiteral(string value) => _parts.AppendLiteral(value);

    /// <summary>A value.</summary>
    public void AppendFormatted(string? value) => _parts.AppendLiteral(value is null ? "" : Quoted.Value(value));

    /// <summary>A value, or with <c>whole</c> a sentence.</summary>
    public void AppendFormatted(string? value, string? format) => _parts.AppendLiteral(value is null ? "" : format == Whole ? value : Quoted.Value(value));

    /// <summary>A value.</summary>
    public void AppendFormatted(ReadOnlySpan<char> value)
    {
        var shown = Quoted.Value(value);
        _parts.AppendFormatted(shown);
        if (shown.Length < value.Length) _parts.AppendLiteral("…");
    }

    /// <summary>A value.</summary>
    public void AppendFormatted<T>(T value, string? format = null) =>
        AppendFormatted(value is IFormattable formattable ? formattable.ToString(format, CultureInfo.InvariantCulture) : value?.ToString());

    /// <summary>The sentence; to be asked once.</summary>
    public string ToText() => Quoted.Text(_plain ?? _parts.ToStringAndClear());
}
