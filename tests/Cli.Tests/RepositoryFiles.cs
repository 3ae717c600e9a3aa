namespace Pipeline.Cli.Tests;

/// <summary>Files of the repository, and the facts shared with other parts of the project.</summary>
internal static class RepositoryFiles
{
    private static readonly string Root = FindRoot();

    /// <summary>A path in the repository.</summary>
    public static string Path(string path) => System.IO.Path.Combine(Root, path);

    /// <summary>A path in the folder of shared facts; reading it fails when the folder is missing.</summary>
    public static string Shared(string path) => System.IO.Path.GetFullPath(System.IO.Path.Combine(Root, "..", "shared", path));

    /// <summary>The real .crate files.</summary>
    public static IReadOnlyList<string> Crates() => [.. Directory.EnumerateFiles(Shared("crates"), "*.crate").Order(StringComparer.Ordinal)];

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(System.IO.Path.Combine(folder.FullName, "Pipeline.sln"))) return folder.FullName;
        }

        throw new DirectoryNotFoundException($"no folder with Pipeline.sln above {AppContext.BaseDirectory}");
    }
}
