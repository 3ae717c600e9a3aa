namespace Pipeline.Bench.Measuring;

/// <summary>Where the sources are, and what lies beside them.</summary>
internal static class RepositoryRoot
{
    /// <summary>The folder with the solution.</summary>
    public static string Path { get; } = Find();

    /// <summary>The folder of shared samples beside the repository.</summary>
    public static string Shared => System.IO.Path.GetFullPath(System.IO.Path.Combine(Path, "..", "shared"));

    /// <summary>A fresh folder for a run, on the disk of the repository.</summary>
    public static string NewFolder(string name)
    {
        var folder = System.IO.Path.Combine(Path, "artifacts", "bench", $"{name}-{Guid.NewGuid():n}");
        Directory.CreateDirectory(folder);
        return folder;
    }

    private static string Find()
    {
        for (var folder = AppContext.BaseDirectory; folder is not null; folder = System.IO.Path.GetDirectoryName(folder))
        {
            if (File.Exists(System.IO.Path.Combine(folder, "Pipeline.sln"))) return folder;
        }

        throw new InvalidOperationException("the benchmarks run from within the repository");
    }
}
