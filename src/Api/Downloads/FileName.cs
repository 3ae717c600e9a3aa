using System.Diagnostics.CodeAnalysis;
using Pipeline.Contracts;

namespace Pipeline.Api.Downloads;

/// <summary>The version that a .crate file's name stands for.</summary>
public static class FileName
{
    private const string Ending = ".crate";

    /// <summary>Reads <c>{name}-{version}.crate</c>; false: it is no file of that crate.</summary>
    /// <param name="name">The crate's name, the folder the file is in.</param>
    /// <param name="file">The file's name, decoded: a plus sign is a plus sign.</param>
    /// <param name="version">The version.</param>
    public static bool TryRead(string name, string file, [NotNullWhen(true)] out CrateVersion? version)
    {
        version = null;
        return NameRules.Check(name, NameUse.Crate) is null
            && file.Length > name.Length + 1 + Ending.Length
            && file.StartsWith(name, StringComparison.Ordinal)
            && file[name.Length] == '-'
            && file.EndsWith(Ending, StringComparison.Ordinal)
            && CrateVersion.TryParse(file[(name.Length + 1)..^Ending.Length], out version);
    }
}
