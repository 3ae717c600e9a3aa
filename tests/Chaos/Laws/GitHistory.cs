using System.Diagnostics;
using System.Text;

namespace Pipeline.Tests.Chaos.Laws;

/// <summary>Clones the git index as anybody does, and reads its newest tree and all its commits.</summary>
internal static class GitHistory
{
    private const string Mark = "commit ";

    /// <summary>Reads them; one file is left out of the tree.</summary>
    public static async Task<(IReadOnlyDictionary<string, string> Tree, IReadOnlyList<CommitFact> Commits)> ReadAsync(string url, string except)
    {
        var clone = Directory.CreateTempSubdirectory("chaos-clone-").FullName;
        try
        {
            await GitAsync(null, "clone", "--quiet", "--bare", url, clone);
            await GitAsync(null, "-C", clone, "fsck", "--full", "--strict");
            var log = await GitAsync(null, "-C", clone, "log", "--reverse", "--root", "--raw", "--no-abbrev", "--no-renames", $"--format={Mark}%H%x09%an%x09%s", "HEAD");
            var tree = await GitAsync(null, "-C", clone, "ls-tree", "-r", "HEAD");
            var entries = tree.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(' ', '\t')).Where(parts => parts[3] != except).ToList();
            var blobs = await BlobsAsync(clone, log, entries.Select(parts => parts[2]));
            return (entries.ToDictionary(parts => parts[3], parts => blobs[parts[2]], StringComparer.Ordinal), Commits(log, blobs));
        }
        finally
        {
            Directory.Delete(clone, recursive: true);
        }
    }

    private static List<CommitFact> Commits(string log, Dictionary<string, string> blobs)
    {
        var commits = new List<CommitFact>();
        var changes = new List<(string, string?, string?)>();
        foreach (var line in log.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.StartsWith(Mark, StringComparison.Ordinal))
            {
                var parts = line[Mark.Length..].Split('\t', 3);
                commits.Add(new CommitFact(parts[0], parts[2], parts[1] == "registry", changes = []));
            }
            else if (line.StartsWith(':'))
            {
                var (before, after) = Ids(line);
                changes.Add((line[(line.IndexOf('\t', StringComparison.Ordinal) + 1)..], blobs.GetValueOrDefault(before), blobs.GetValueOrDefault(after)));
            }
        }

        return commits;
    }

    // `:100644 100644 BEFORE AFTER M<tab>path`
    private static (string Before, string After) Ids(string line)
    {
        var parts = line.Split(' ');
        return (parts[2], parts[3]);
    }

    private static async Task<Dictionary<string, string>> BlobsAsync(string clone, string log, IEnumerable<string> more)
    {
        var ids = log.Split('\n').Where(line => line.StartsWith(':')).SelectMany(line => new[] { Ids(line).Before, Ids(line).After }).Concat(more)
            .Where(id => id.Any(letter => letter != '0')).Distinct().ToList();
        var bytes = Encoding.Latin1.GetBytes(await GitAsync(string.Join('\n', ids) + "\n", "-C", clone, "cat-file", "--batch"));
        var blobs = new Dictionary<string, string>(ids.Count, StringComparer.Ordinal);
        for (var at = 0; at < bytes.Length;)
        {
            var end = Array.IndexOf(bytes, (byte)'\n', at);
            var head = Encoding.ASCII.GetString(bytes, at, end - at).Split(' ');
            var size = int.Parse(head[2], System.Globalization.CultureInfo.InvariantCulture);
            blobs[head[0]] = Encoding.UTF8.GetString(bytes, end + 1, size);
            at = end + 1 + size + 1;
        }

        return blobs;
    }

    private static async Task<string> GitAsync(string? input, params string[] arguments)
    {
        var start = new ProcessStartInfo("git", arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            // Sizes are counted in bytes.
            StandardOutputEncoding = Encoding.Latin1,
        };
        using var git = Process.Start(start)!;
        var (error, output) = (git.StandardError.ReadToEndAsync(), git.StandardOutput.ReadToEndAsync());
        if (input is not null) await git.StandardInput.WriteAsync(input);
        git.StandardInput.Close();
        var text = await output;
        await git.WaitForExitAsync();
        return git.ExitCode == 0 ? text : throw new InvalidOperationException($"git {string.Join(' ', arguments)}: {await error}");
    }
}
