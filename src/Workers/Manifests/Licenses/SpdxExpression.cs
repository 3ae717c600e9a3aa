using System.Globalization;
using System.Text;

namespace Pipeline.Workers.Manifests.Licenses;

/// <summary>
/// SPDX licence expressions as crates.io takes them (crates-io-behaviour §1.6): ids of the list, case-sensitive, deprecated ones too;
/// <c>/</c> for <c>OR</c>; operators upper or lower case; <c>+</c> also behind GNU ids; unknown ids refused.
/// </summary>
public static class SpdxExpression
{
    /// <summary>The longest expression read, in bytes. crates.io knows no limit; the text comes back in the error, so there has to be one.</summary>
    public const int MaxBytes = 4096;

    /// <summary>Null when <paramref name="expression"/> is a licence expression, else the first thing wrong in it.</summary>
    public static SpdxError? Validate(string expression)
    {
        ArgumentNullException.ThrowIfNull(expression);
        var size = Encoding.UTF8.GetByteCount(expression);
        if (size > MaxBytes)
            return TooLong(size);

        var lexer = new SpdxLexer(expression);
        var open = new Stack<int>();
        var last = SpdxToken.None;
        var id = default(ReadOnlySpan<char>);
        while (true)
        {
            var token = lexer.Next(out var error);
            if (error is not null)
                return error;
            if (token == SpdxToken.None)
                return AtEnd(expression, last, open);
            if (!MayFollow(last, token))
                return SpdxError.At(expression, lexer.Start, lexer.End, Expected(last));
            switch (token)
            {
                case SpdxToken.License:
                    id = lexer.Value;
                    break;
                case SpdxToken.Plus when GnuTrouble(id) is { } reason:
                    return SpdxError.At(expression, lexer.Start, lexer.End, reason);
                case SpdxToken.Open:
                    open.Push(lexer.Start);
                    break;
                case SpdxToken.Close when !open.TryPop(out _):
                    return SpdxError.At(expression, lexer.Start, lexer.End, SpdxError.UnopenedParens);
            }

            last = token;
        }
    }

    private static SpdxError? AtEnd(string expression, SpdxToken last, Stack<int> open) => last switch
    {
        SpdxToken.None => SpdxError.At(expression, 0, expression.Length, "empty expression"),
        SpdxToken.And or SpdxToken.Or or SpdxToken.Open or SpdxToken.With =>
            SpdxError.At(expression, expression.Length, expression.Length, Expected(last)),
        _ when open.TryPeek(out var at) => SpdxError.At(expression, at, at + 1, SpdxError.UnclosedParens),
        _ => null,
    };

    private static bool MayFollow(SpdxToken last, SpdxToken token) => token switch
    {
        SpdxToken.License or SpdxToken.LicenseRef or SpdxToken.Open =>
            last is SpdxToken.None or SpdxToken.And or SpdxToken.Or or SpdxToken.Open,
        SpdxToken.Plus => last is SpdxToken.License,
        SpdxToken.With => last is SpdxToken.License or SpdxToken.LicenseRef or SpdxToken.Plus,
        SpdxToken.Exception or SpdxToken.AdditionRef => last is SpdxToken.With,
        _ => last is SpdxToken.License or SpdxToken.LicenseRef or SpdxToken.Plus
            or SpdxToken.Exception or SpdxToken.AdditionRef or SpdxToken.Close,
    };

    private static string Expected(SpdxToken last) => last switch
    {
        SpdxToken.License => "expected one of `AND`, `OR`, `WITH`, `)`, `+` here",
        SpdxToken.LicenseRef or SpdxToken.Plus => "expected one of `AND`, `OR`, `WITH`, `)` here",
        SpdxToken.Exception or SpdxToken.AdditionRef => "expected one of `AND`, `OR`, `)` here",
        SpdxToken.Close => "expected one of `AND`, `OR` here",
        SpdxToken.With => "expected a `<addition>` here",
        _ => "expected one of `<license>`, `(` here",
    };

    /// <summary>A <c>+</c> turns a GNU id into its <c>-or-later</c> form, so there has to be one, and it must not stand there already.</summary>
    private static string? GnuTrouble(ReadOnlySpan<char> id)
    {
        if (!SpdxIds.IsGnu(id))
            return null;
        if (id.EndsWith("-or-later"))
            return "a GNU license was followed by a `+` even though it ended in `-only` or `-or-later`";
        var root = id.EndsWith("-only") ? id[..^"-only".Length] : id;
        return SpdxIds.IsLicense($"{root}-or-later") ? null : "unknown license id";
    }

    private static SpdxError TooLong(int size)
    {
        var reason = string.Create(CultureInfo.InvariantCulture, $"expression of {size} bytes is too long (max {MaxBytes} bytes)");
        return new SpdxError(0, 0, reason, reason);
    }
}
