using Pipeline.Contracts;

namespace Pipeline.Registry.Identity;

/// <summary>
/// Which crates a token is for: <c>*</c>, a crate's name, or the start of one and <c>*</c> (crates-io-behaviour §6.2).
/// Letter case and <c>-</c>/<c>_</c> count, unlike elsewhere.
/// </summary>
public readonly record struct CratePattern
{
    private CratePattern(string text) => Text = text;

    /// <summary>The pattern as written.</summary>
    public string Text { get; }

    /// <summary>Takes a pattern that was checked when it was stored.</summary>
    public static CratePattern FromStored(string text) => new(text);

    /// <summary>Reads a pattern; false when it is none.</summary>
    public static bool TryParse(string text, out CratePattern pattern)
    {
        pattern = new CratePattern(text);
        return text == "*" || NameRules.Check(text.EndsWith('*') ? text.AsSpan(0, text.Length - 1) : text, NameUse.Crate) is null;
    }

    /// <summary>Whether the pattern covers a crate's name, as that is spelt.</summary>
    public bool Matches(string crateName) => Text.EndsWith('*')
        ? crateName.AsSpan().StartsWith(Text.AsSpan(0, Text.Length - 1), StringComparison.Ordinal)
        : Text == crateName;

    /// <inheritdoc/>
    public override string ToString() => Text;
}
