namespace Pipeline.Registry.Git;

/// <summary>
/// What git leaves behind when it is killed (git-engine §5). A stale <c>.lock</c> makes every later update fail, a stale <c>.keep</c> hides
/// its pack from every repack. Only the writer, alone in the repository, may clean up.
/// </summary>
internal static class Leftovers
{
    // Readers write these; one that is an hour old belongs to none that still runs.
    private static readonly TimeSpan ReaderFilesKept = TimeSpan.FromHours(1);

    /// <summary>Removes them and returns how many files that were.</summary>
    public static int Remove(string repository)
    {
        var packs = Path.Combine(repository, "objects", "pack");
        var removed = Remove(repository, "*.lock", SearchOption.TopDirectoryOnly);
        removed += Remove(Path.Combine(repository, "refs"), "*.lock", SearchOption.AllDirectories);
        removed += Remove(repository, "fast_import_crash_*", SearchOption.TopDirectoryOnly);
        removed += Remove(packs, "tmp_*", SearchOption.TopDirectoryOnly);
        removed += Remove(packs, ".tmp-*", SearchOption.TopDirectoryOnly);
        removed += Remove(packs, "*.lock", SearchOption.TopDirectoryOnly);
        removed += Remove(packs, "*.keep", SearchOption.TopDirectoryOnly, IsGits);
        removed += Remove(repository, "shallow_*", SearchOption.TopDirectoryOnly, IsOld);
        return removed;
    }

    private static int Remove(string folder, string pattern, SearchOption depth, Func<string, bool>? wanted = null)
    {
        if (!Directory.Exists(folder)) return 0;
        var removed = 0;
        foreach (var file in Directory.EnumerateFiles(folder, pattern, depth))
        {
            if (wanted is not null && !wanted(file)) continue;
            File.Delete(file);
            removed++;
        }

        return removed;
    }

    // An operator's own .keep stays.
    private static bool IsGits(string keep) =>
        new FileInfo(keep).Length <= 300 && File.ReadAllText(keep).Trim() is var why && (why == "fast-import" || why.StartsWith("fetch-pack ", StringComparison.Ordinal));

    private static bool IsOld(string file) => DateTime.UtcNow - File.GetLastWriteTimeUtc(file) > ReaderFilesKept;
}
