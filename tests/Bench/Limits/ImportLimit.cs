using System.Globalization;
using System.Text;
using Pipeline.Bench.Measuring;

namespace Pipeline.Bench.Limits;

/// <summary>Limit: <c>git fast-import</c>, synced, of the same commits in the same batches onto the same tip.</summary>
internal static class ImportLimit
{
    private const int PacksBeforeRepack = 50;

    /// <summary>What it took.</summary>
    /// <param name="CpuMilliseconds">CPU per commit, git's and that of feeding it.</param>
    /// <param name="Commits">How many there were.</param>
    /// <param name="Seconds">How long it took.</param>
    public sealed record Result(double CpuMilliseconds, int Commits, double Seconds);

    /// <summary>Imports again what lies between the tips of a repository; each tip ends a batch.</summary>
    public static Result Measure(string repository, IReadOnlyList<string> tips)
    {
        var batches = new List<byte[]>();
        var commits = 0;
        for (var i = 1; i < tips.Count; i++)
        {
            var (stream, count) = Render(repository, tips[i - 1], tips[i]);
            batches.Add(stream);
            commits += count;
        }

        var folder = RepositoryRoot.NewFolder("import");
        try
        {
            GitCommand.Text(repository, "clone", "--quiet", "--bare", repository, folder);
            GitCommand.Text(folder, "update-ref", "refs/heads/master", tips[0]);
            // What lies behind the first tip goes away: an object that is there already costs nothing.
            GitCommand.Text(folder, "repack", "-a", "-d", "-q");
            var before = ProcessCpu.Own.Seconds();
            var started = System.Diagnostics.Stopwatch.GetTimestamp();
            for (var i = 0; i < batches.Count; i++)
            {
                GitCommand.Run(folder, batches[i], "-c", "core.fsync=all", "-c", "fastimport.unpackLimit=1", "fast-import", "--quiet", "--done", "--date-format=raw");
                // Each batch leaves a pack, and each pack slows the next batch down: merging them is part of the work.
                if (i % PacksBeforeRepack == PacksBeforeRepack - 1) GitCommand.Text(folder, "repack", "-d", "-n", "--geometric=2", "-q");
            }

            var seconds = System.Diagnostics.Stopwatch.GetElapsedTime(started).TotalSeconds;
            return new Result((ProcessCpu.Own.Seconds() - before) * 1000 / commits, commits, seconds);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>The commits between two tips as the stream that makes them.</summary>
    private static (byte[] Stream, int Count) Render(string repository, string from, string to)
    {
        var changes = Changes(repository, from, to);
        var contents = Contents(repository, changes);
        using var stream = new MemoryStream();
        for (var i = 0; i < changes.Count; i++)
        {
            var (subject, path, _) = changes[i];
            Write(stream, $"commit refs/heads/master\nmark :{i + 1}\ncommitter bench <bench@example.org> 1700000000 +0000\ndata {Encoding.UTF8.GetByteCount(subject)}\n{subject}\n");
            // By name: the ids of these commits are not those of the ones they repeat.
            if (i == 0) Write(stream, "from refs/heads/master^0\n");
            Write(stream, $"M 100644 inline {path}\ndata {contents[i].Length}\n");
            stream.Write(contents[i]);
            Write(stream, "\n\n");
        }

        Write(stream, "done\n");
        return (stream.ToArray(), changes.Count);
    }

    private static List<(string Subject, string Path, string Blob)> Changes(string repository, string from, string to)
    {
        var changes = new List<(string, string, string)>();
        var subject = "";
        foreach (var line in GitCommand.Text(repository, "log", "--reverse", "--raw", "--no-abbrev", "--no-renames", "--format=%s", $"{from}..{to}").Split('\n'))
        {
            if (line.Length == 0) continue;
            if (line[0] != ':') subject = line;
            else if (line.Split([' ', '\t']) is [_, _, _, var blob, not "D", var path]) changes.Add((subject, path, blob));
        }

        return changes;
    }

    private static List<byte[]> Contents(string repository, List<(string Subject, string Path, string Blob)> changes)
    {
        var asked = Encoding.ASCII.GetBytes(string.Concat(changes.Select(change => change.Blob + "\n")));
        var answer = GitCommand.Run(repository, asked, "cat-file", "--batch=%(objectsize)", "--buffer").AsSpan();
        var contents = new List<byte[]>(changes.Count);
        while (!answer.IsEmpty)
        {
            var end = answer.IndexOf((byte)'\n');
            var size = int.Parse(answer[..end], NumberStyles.None, CultureInfo.InvariantCulture);
            contents.Add(answer.Slice(end + 1, size).ToArray());
            answer = answer[(end + size + 2)..];
        }

        return contents;
    }

    private static void Write(MemoryStream stream, string text) => stream.Write(Encoding.UTF8.GetBytes(text));
}
