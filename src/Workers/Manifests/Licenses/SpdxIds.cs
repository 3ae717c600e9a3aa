using System.Collections.Frozen;
using Pipeline.Contracts;

namespace Pipeline.Workers.Manifests.Licenses;

/// <summary>The ids of the SPDX licence list, deprecated ones included. Ids are case-sensitive here, as on crates.io.</summary>
internal static class SpdxIds
{
    private static readonly FrozenSet<string> Licenses = EmbeddedLines.ReadSet(typeof(SpdxIds).Assembly, "license-ids.txt");
    private static readonly FrozenSet<string> Exceptions = EmbeddedLines.ReadSet(typeof(SpdxIds).Assembly, "exception-ids.txt");
    private static readonly FrozenSet<string>.AlternateLookup<ReadOnlySpan<char>> LicenseSpans =
        Licenses.GetAlternateLookup<ReadOnlySpan<char>>();

    private static readonly FrozenSet<string>.AlternateLookup<ReadOnlySpan<char>> ExceptionSpans =
        Exceptions.GetAlternateLookup<ReadOnlySpan<char>>();

    /// <summary>Whether <paramref name="id"/> names a licence; <c>NOASSERTION</c> counts as one.</summary>
    public static bool IsLicense(ReadOnlySpan<char> id) => LicenseSpans.Contains(id);

    /// <summary>Whether <paramref name="id"/> names an exception, the thing after <c>WITH</c>.</summary>
    public static bool IsException(ReadOnlySpan<char> id) => ExceptionSpans.Contains(id);

    /// <summary>Whether <paramref name="id"/> is of the GNU family, whose ids say <c>-or-later</c> where others take a <c>+</c>.</summary>
    public static bool IsGnu(ReadOnlySpan<char> id) =>
        id.StartsWith("GPL-") || id.StartsWith("LGPL-") || id.StartsWith("AGPL-") || id.StartsWith("GFDL-");
}
