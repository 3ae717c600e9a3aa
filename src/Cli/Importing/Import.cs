using System.Collections.Concurrent;

namespace Pipeline.Cli.Importing;

/// <summary>Imports files, several side by side.</summary>
/// <param name="publisher">Publishes one.</param>
/// <param name="registry">The registry they were made for.</param>
/// <param name="progress">Is told of each that is done.</param>
internal sealed class Import(CratePublisher publisher, RegistryOfCrates registry, IImportProgress progress)
{
    private readonly ConcurrentQueue<ImportResult> _failed = new();
    private int _published;
    private int _present;

    /// <summary>How many the registry accepted.</summary>
    public int Published => _published;

    /// <summary>How many it had already.</summary>
    public int Present => _present;

    /// <summary>Those that failed, by path.</summary>
    public IReadOnlyList<ImportResult> Failed => [.. _failed.OrderBy(result => result.Item.Path, StringComparer.Ordinal)];

    /// <summary>The files below folders and the files named, in order; one found twice counts once.</summary>
    /// <exception cref="CliException">A path is not there.</exception>
    public static List<string> FindFiles(IEnumerable<string> paths)
    {
        var files = new List<string>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var path in paths)
        {
            if (!File.Exists(path) && !Directory.Exists(path)) throw new CliException($"there is no file or folder {path}");
            IEnumerable<string> found = Directory.Exists(path)
                ? Directory.EnumerateFiles(path, "*.crate", SearchOption.AllDirectories).Order(StringComparer.Ordinal)
                : [path];
            files.AddRange(found.Where(file => seen.Add(Path.GetFullPath(file))));
        }

        return files;
    }

    /// <summary>Looks into files for what they depend on, using all processors; one that cannot be read is taken without dependencies.</summary>
    public static ImportItem[] ReadItems(List<string> files, RegistryOfCrates registry, CancellationToken cancellationToken)
    {
        var items = new ImportItem[files.Count];
        Parallel.For(0, files.Count, new ParallelOptions { CancellationToken = cancellationToken }, i => items[i] = ReadItem(files[i], registry));
        return items;
    }

    /// <summary>Publishes all files of a schedule.</summary>
    /// <param name="schedule">Which comes when.</param>
    /// <param name="jobs">How many at once.</param>
    /// <param name="cancellationToken">Stops after those under way.</param>
    public Task RunAsync(ImportSchedule schedule, int jobs, CancellationToken cancellationToken) =>
        Task.WhenAll(Enumerable.Range(0, jobs).Select(_ => Task.Run(() => WorkAsync(schedule, cancellationToken), cancellationToken)));

    private static ImportItem ReadItem(string file, RegistryOfCrates registry)
    {
        try
        {
            return ImportItem.Of(file, PublishJson.Derive(Path.GetFileName(file), File.ReadAllBytes(file), registry));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            // Said when its turn comes.
            return ImportItem.Unread(file);
        }
    }

    private async Task WorkAsync(ImportSchedule schedule, CancellationToken cancellationToken)
    {
        while (await schedule.NextAsync(cancellationToken).ConfigureAwait(false) is { } item)
        {
            var result = await ImportAsync(item, cancellationToken).ConfigureAwait(false);
            Count(result);
            schedule.Finished(item);
            progress.Report(result);
        }
    }

    private async Task<ImportResult> ImportAsync(ImportItem item, CancellationToken cancellationToken)
    {
        try
        {
            var crate = await File.ReadAllBytesAsync(item.Path, cancellationToken).ConfigureAwait(false);
            var json = PublishJson.Derive(Path.GetFileName(item.Path), crate, registry);
            var (end, reason) = await publisher.PublishAsync(json, crate, cancellationToken).ConfigureAwait(false);
            return new ImportResult(item, json.Name, json.Version, end, reason);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            return new ImportResult(item, null, null, ImportEnd.Failed, e.Message);
        }
    }

    private void Count(ImportResult result)
    {
        if (result.End == ImportEnd.Failed) _failed.Enqueue(result);
        else Interlocked.Increment(ref result.End == ImportEnd.Present ? ref _present : ref _published);
    }
}
