namespace Pipeline.Tests;

/// <summary>Files beside the repository that several parts of the project share.</summary>
internal static class RepositoryFiles
{
    private static readonly string Root = FindRoot();

    /// <summary>A path in the repository.</summary>
    public static string InRepository(string path) => Path.Combine(Root, path);

    /// <summary>A path in the folder of shared facts; reading it fails when the folder is missing.</summary>
    public static string Shared(string path) => Path.GetFullPath(Path.Combine(Root, "..", "shared", path));

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Pipeline.sln"))) return folder.FullName;
        }

        throw new DirectoryNotFoundException($"no folder with Pipeline.sln above {AppContext.BaseDirectory}");
    }
}
