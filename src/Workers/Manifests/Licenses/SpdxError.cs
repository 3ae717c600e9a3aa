using System.Text;
using Pipeline.Contracts;

namespace Pipeline.Workers.Manifests.Licenses;

/// <summary>Why and where a text is not an SPDX expression.</summary>
/// <param name="Start">Where the trouble starts, in UTF-8 bytes.</param>
/// <param name="End">The first byte behind it; equal to <paramref name="Start"/> when something is missing there.</param>
/// <param name="Reason">What is wrong (<c>unknown term</c>).</param>
/// <param name="Text">For the publisher: the expression, and below it a mark under the trouble and the reason.</param>
public sealed record SpdxError(int Start, int End, string Reason, string Text)
{
    internal const string UnclosedParens = "unclosed parens";
    internal const string UnopenedParens = "unopened parens";

    /// <summary>Marks the chars from <paramref name="start"/> to <paramref name="end"/> of <paramref name="expression"/>.</summary>
    internal static SpdxError At(string expression, int start, int end, string reason)
    {
        // The wire counts bytes. Where a text is not ASCII the mark is shifted; crates.io's is too.
        var startByte = Encoding.UTF8.GetByteCount(expression.AsSpan(0, start));
        var endByte = startByte + Encoding.UTF8.GetByteCount(expression.AsSpan(start, end - start));
        // What cannot be shown whole has no mark: that would be as long again.
        if (expression.Length > Quoted.MaxValue) return new SpdxError(startByte, endByte, reason, $"{Quoted.Value(expression)}\n{reason} at byte {startByte}");
        var mark = reason switch
        {
            UnclosedParens => "-",
            UnopenedParens => "^",
            _ => new string('^', endByte - startByte),
        };
        return new SpdxError(startByte, endByte, reason, $"{expression}\n{new string(' ', startByte)}{mark} {reason}");
    }
}
