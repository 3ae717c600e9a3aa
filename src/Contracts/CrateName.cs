using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;

namespace Pipeline.Contracts;

/// <summary>
/// A crate's name as its owner spells it, case and <c>-</c>/<c>_</c> kept: for showing, for index lines and for storage keys.
/// Two spellings are two values here; whether they are the same crate is a question for <see cref="Canonical"/>.
/// </summary>
[JsonConverter(typeof(TextJsonConverter<CrateName>))]
public sealed record CrateName : IParsable<CrateName>
{
    private CrateName(string text) => Text = text;

    /// <summary>The name as spelt.</summary>
    public string Text { get; }

    /// <summary>The spelling by which names are compared for identity.</summary>
    public CanonicalName Canonical => CanonicalName.Of(Text);

    /// <summary>Takes a name that was checked when it was stored, or that an upstream registry vouches for: no rule is applied again.</summary>
    public static CrateName FromStored(string text)
    {
        ArgumentException.ThrowIfNullOrEmpty(text);
        return new CrateName(text);
    }

    /// <summary>Reads a published crate's name, or says why it is none (crates-io-behaviour §1.5, <c>{what}</c> = crate).</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out CrateName? name, [NotNullWhen(false)] out Reject? reject)
    {
        reject = NameRules.Check(text, NameUse.Crate);
        name = reject is null ? new CrateName(text!) : null;
        return reject is null;
    }

    /// <inheritdoc/>
    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, [MaybeNullWhen(false)] out CrateName result) =>
        TryParse(s, out result, out _);

    /// <inheritdoc/>
    public static CrateName Parse(string s, IFormatProvider? provider) =>
        TryParse(s, out var name, out var reject) ? name : throw new FormatException(reject.Text);

    /// <inheritdoc/>
    public override string ToString() => Text;
}
