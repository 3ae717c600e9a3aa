using System.Text;

namespace Pipeline.Contracts;

/// <summary>What a name names; chooses the words and the first-character rule of <see cref="NameRules"/>.</summary>
public enum NameUse
{
    /// <summary>The crate that is published.</summary>
    Crate,

    /// <summary>The crate a dependency asks for.</summary>
    Dependency,

    /// <summary>The table key of a renamed dependency, or the dependency part of a feature value: <c>_</c> may come first.</summary>
    DependencyKey,
}

/// <summary>The naming rules for crates and dependencies, with the texts cargo users know (crates-io-behaviour §1.5).</summary>
public static class NameRules
{
    /// <summary>The most characters (Unicode scalar values) a name may have.</summary>
    public const int MaxCharacters = 64;

    /// <summary>Checks a name; null when it is allowed, else a reject <c>invalid-name</c>, status 400.</summary>
    public static Reject? Check(ReadOnlySpan<char> name, NameUse use)
    {
        var what = use == NameUse.Crate ? "crate" : "dependency";
        if (IsTooLong(name))
            return Invalid($"the {what} name `{name}` is too long (max {MaxCharacters} characters)");
        if (name.IsEmpty)
            return Invalid($"{what} name cannot be empty");

        var first = name[0];
        if (char.IsAsciiDigit(first))
            return Invalid($"the name `{name}` cannot be used as a {what} name, the name cannot start with a digit");
        if (!char.IsAsciiLetter(first) && !(use == NameUse.DependencyKey && first == '_'))
        {
            var allowed = use == NameUse.DependencyKey ? "an ASCII character, or `_`" : "an ASCII character";
            return Invalid($"invalid character `{ScalarAt(name, 0)}` in {what} name: `{name}`, the first character must be {allowed}");
        }

        for (var i = 1; i < name.Length; i++)
        {
            if (!char.IsAsciiLetterOrDigit(name[i]) && name[i] is not ('-' or '_'))
                return Invalid($"invalid character `{ScalarAt(name, i)}` in {what} name: `{name}`, characters must be an ASCII alphanumeric characters, `-`, or `_`");
        }

        return null;
    }

    private static bool IsTooLong(ReadOnlySpan<char> name)
    {
        if (name.Length <= MaxCharacters)
            return false;
        var count = 0;
        foreach (var _ in name.EnumerateRunes())
        {
            if (++count > MaxCharacters)
                return true;
        }

        return false;
    }

    private static Rune ScalarAt(ReadOnlySpan<char> text, int index)
    {
        Rune.DecodeFromUtf16(text[index..], out var scalar, out _);
        return scalar;
    }

    private static Reject Invalid(Sentence text) => new(RejectCodes.InvalidName, 400, text);
}
