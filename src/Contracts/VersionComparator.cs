namespace Pipeline.Contracts;

/// <summary>How a comparator relates a version to its own numbers.</summary>
internal enum VersionOperator
{
    Exact,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
    Tilde,
    Caret,
    Wildcard,
}

/// <summary>
/// One part of a version requirement, such as <c>&gt;=1.2</c>. Numbers left out are null; a pre-release is possible only behind three numbers.
/// Evaluation follows Cargo's rules ("Specifying Dependencies" in the Cargo book) as Rust's semver 1.0 carries them out.
/// </summary>
internal readonly record struct VersionComparator(VersionOperator Operator, ulong Major, ulong? Minor, ulong? Patch, string Prerelease)
{
    /// <summary>Whether the version satisfies the numbers; the rule that keeps pre-releases out stands in <see cref="AdmitsPrereleaseOf"/>.</summary>
    public bool Matches(CrateVersion version) => Operator switch
    {
        VersionOperator.Exact or VersionOperator.Wildcard => IsEqual(version),
        VersionOperator.Greater => CompareGiven(version) > 0,
        VersionOperator.GreaterOrEqual => IsEqual(version) || CompareGiven(version) > 0,
        VersionOperator.Less => CompareGiven(version) < 0,
        VersionOperator.LessOrEqual => IsEqual(version) || CompareGiven(version) < 0,
        VersionOperator.Tilde => MatchesTilde(version),
        _ => MatchesCaret(version),
    };

    /// <summary>Whether this comparator names a pre-release of the very same three numbers, which is what lets a pre-release in at all.</summary>
    public bool AdmitsPrereleaseOf(CrateVersion version) =>
        Prerelease.Length > 0 && Major == version.Major && Minor == version.Minor && Patch == version.Patch;

    /// <inheritdoc/>
    public override string ToString()
    {
        var prefix = Operator switch
        {
            VersionOperator.Exact => "=",
            VersionOperator.Greater => ">",
            VersionOperator.GreaterOrEqual => ">=",
            VersionOperator.Less => "<",
            VersionOperator.LessOrEqual => "<=",
            VersionOperator.Tilde => "~",
            VersionOperator.Caret => "^",
            _ => "",
        };
        var suffix = Operator == VersionOperator.Wildcard ? ".*" : "";
        if (Minor is null)
            return $"{prefix}{Major}{suffix}";
        if (Patch is null)
            return $"{prefix}{Major}.{Minor}{suffix}";
        return Prerelease.Length == 0 ? $"{prefix}{Major}.{Minor}.{Patch}" : $"{prefix}{Major}.{Minor}.{Patch}-{Prerelease}";
    }

    private bool IsEqual(CrateVersion version) =>
        version.Major == Major
        && (Minor is null || version.Minor == Minor)
        && (Patch is null || version.Patch == Patch)
        && version.Prerelease.SequenceEqual(Prerelease);

    /// <summary>Compares the version with the numbers that are given; 0 as soon as one is left out, so <c>&gt;1</c> is not met by 1.5.0.</summary>
    private int CompareGiven(CrateVersion version)
    {
        var order = version.Major.CompareTo(Major);
        if (order != 0 || Minor is null)
            return order;
        order = version.Minor.CompareTo(Minor.Value);
        if (order != 0 || Patch is null)
            return order;
        order = version.Patch.CompareTo(Patch.Value);
        return order != 0 ? order : VersionText.ComparePrerelease(version.Prerelease, Prerelease);
    }

    private bool MatchesTilde(CrateVersion version)
    {
        if (version.Major != Major || (Minor is not null && version.Minor != Minor))
            return false;
        if (Patch is not null && version.Patch != Patch)
            return version.Patch > Patch;
        return VersionText.ComparePrerelease(version.Prerelease, Prerelease) >= 0;
    }

    private bool MatchesCaret(CrateVersion version)
    {
        if (version.Major != Major)
            return false;
        if (Minor is null)
            return true;
        if (Patch is null)
            return Major > 0 ? version.Minor >= Minor : version.Minor == Minor;
        if (Major > 0 && version.Minor != Minor)
            return version.Minor > Minor;
        // Below 1.0.0 the leftmost number that is not zero may not change.
        if (version.Minor != Minor || (Major == 0 && Minor == 0 && version.Patch != Patch))
            return false;
        if (version.Patch != Patch)
            return version.Patch > Patch;
        return VersionText.ComparePrerelease(version.Prerelease, Prerelease) >= 0;
    }
}
