using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;

namespace Pipeline.Contracts;

/// <summary>
/// A crate's name as identity: ASCII lower case, <c>-</c> written <c>_</c> (crates-io-behaviour §0.5). Two crates whose canonical names are
/// equal cannot both exist. Never shown, never part of a storage key or index path.
/// </summary>
[JsonConverter(typeof(TextJsonConverter<CanonicalName>))]
public sealed record CanonicalName : IParsable<CanonicalName>
{
    private CanonicalName(string text) => Text = text;

    /// <summary>The canonical spelling.</summary>
    public string Text { get; }

    /// <summary>The canonical form of any spelling, whether or not that is an allowed name.</summary>
    public static CanonicalName Of(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return new CanonicalName(IsCanonical(name) ? name : string.Create(name.Length, name, static (to, from) =>
        {
            for (var i = 0; i < to.Length; i++)
                to[i] = from[i] == '-' ? '_' : char.ToLowerInvariant(from[i]);
        }));
    }

    /// <inheritdoc/>
    public static CanonicalName Parse(string s, IFormatProvider? provider) => Of(s);

    /// <inheritdoc/>
    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, [MaybeNullWhen(false)] out CanonicalName result)
    {
        result = s is null ? null : Of(s);
        return result is not null;
    }

    /// <inheritdoc/>
    public override string ToString() => Text;

    private static bool IsCanonical(string name)
    {
        foreach (var c in name)
        {
            if (c is '-' or >= 'A' and <= 'Z' or > '\x7f')
                return false;
        }

        return true;
    }
}
