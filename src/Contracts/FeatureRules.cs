namespace Pipeline.Contracts;

/// <summary>Which feature names and feature values a manifest may have (crates-io-behaviour §1.8).</summary>
public static class FeatureRules
{
    /// <summary>Checks the name of a feature; null when allowed, else a reject <c>invalid-feature</c>, status 400.</summary>
    public static Reject? CheckName(ReadOnlySpan<char> name)
    {
        if (name.IsEmpty)
            return Invalid("feature cannot be empty");

        var isFirst = true;
        foreach (var c in name.EnumerateRunes())
        {
            if (isFirst && !(XidClass.IsStart(c) || c.Value == '_' || (c.IsAscii && char.IsAsciiDigit((char)c.Value))))
            {
                return Invalid($"invalid character `{c}` in feature `{name}`, " +
                    $"the first character must be a Unicode XID start character or digit (most letters or `_` or `0` to `9`)");
            }

            if (!XidClass.IsContinue(c) && c.Value is not ('+' or '-' or '.'))
            {
                return Invalid($"invalid character `{c}` in feature `{name}`, " +
                    $"characters must be Unicode XID characters, `+`, `-`, or `.` (numbers, `+`, `-`, `_`, `.`, or most letters)");
            }

            isFirst = false;
        }

        return null;
    }

    /// <summary>
    /// Checks what a feature turns on, or what is asked of a dependency: <c>feature</c>, <c>dep:crate</c>, <c>crate/feature</c> or
    /// <c>crate?/feature</c>. Whether the names exist is not asked.
    /// </summary>
    public static Reject? CheckValue(ReadOnlySpan<char> value)
    {
        var slash = value.IndexOf('/');
        if (slash >= 0)
        {
            var dependency = value[..slash];
            if (dependency is [.., '?'])
                dependency = dependency[..^1];
            return NameRules.Check(dependency, NameUse.DependencyKey) ?? CheckName(value[(slash + 1)..]);
        }

        // What stands before "dep:" is not looked at, as on crates.io.
        var prefix = value.IndexOf("dep:", StringComparison.Ordinal);
        return prefix >= 0 ? NameRules.Check(value[(prefix + 4)..], NameUse.DependencyKey) : CheckName(value);
    }

    private static Reject Invalid(Sentence text) => new(RejectCodes.InvalidFeature, 400, text);
}
