using System.Globalization;
using System.Text;
using Pipeline.Bench.Limits;
using Pipeline.Bench.Measuring;
using Pipeline.Contracts.Index;

namespace Pipeline.Bench.Git;

/// <summary>
/// A git index of 150,000 files that look like those of a grown registry (git-engine §2): a mean of 3.2 KB, some large ones, names bunched on
/// some letters. Made once, the same each time, and kept.
/// </summary>
internal static class SyntheticIndex
{
    /// <summary>How many files it has.</summary>
    public const int Files = 150_000;

    private const string Consonants = "ssttrrccpplmmndbgfhvwkjxyzq";
    private const string Vowels = "aaaeeeiioou";

    /// <summary>The bare repository, made if need be.</summary>
    public static string Ensure()
    {
        var folder = Path.Combine(RepositoryRoot.Path, "artifacts", "bench", "index-150000.git");
        if (File.Exists(Path.Combine(folder, "whole"))) return folder;
        Report.Say($"making an index of {Files} files in {folder}");
        if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
        Directory.CreateDirectory(folder);
        GitCommand.Text(folder, "init", "--quiet", "--bare", "--initial-branch=master", ".");
        GitCommand.Feed(folder, Write, "fast-import", "--quiet", "--done");
        File.WriteAllText(Path.Combine(folder, "whole"), "");
        return folder;
    }

    /// <summary>The name of a crate: two or three syllables and a number, so that folders fill unevenly.</summary>
    public static string Name(int number)
    {
        var random = Random(number);
        var name = new StringBuilder();
        for (var i = 0; i < 4; i++) name.Append(Consonants[random.Next(Consonants.Length)]).Append(Vowels[random.Next(Vowels.Length)]);
        // Every fifth has a common prefix, as families of crates have.
        if (number % 5 == 0) name.Insert(0, "cargo-");
        return name.Append(CultureInfo.InvariantCulture, $"-{number}").ToString();
    }

    /// <summary>The lines of a crate's file, parted where the yank flag stands.</summary>
    public static List<(string Head, string Tail)> Lines(int number)
    {
        var random = Random(number);
        // Most crates have few versions, some have hundreds: mean 10 lines of 320 bytes.
        var count = Math.Clamp((int)(-Math.Log(1 - random.NextDouble()) * 6.5 * (random.Next(20) == 0 ? 12 : 1)), 1, 160);
        var lines = new List<(string, string)>(count);
        for (var i = 0; i < count; i++) lines.Add(Line(Name(number), $"0.{i / 10}.{i % 10}", random));
        return lines;
    }

    /// <summary>A line more.</summary>
    public static (string Head, string Tail) Line(string name, string version, Random random)
    {
        var checksum = new byte[32];
        random.NextBytes(checksum);
        return (
            $$"""{"name":"{{name}}","vers":"{{version}}","deps":[{"name":"serde","req":"^1.{{random.Next(200)}}","features":["derive"],"optional":false,"default_features":true,"target":null,"kind":"normal"}],"cksum":"{{Convert.ToHexStringLower(checksum)}}","features":{},"yanked":""",
            ""","links":null}""" + "\n");
    }

    /// <summary>Random numbers that depend on the crate alone.</summary>
#pragma warning disable CA5394 // nothing secret
    public static Random Random(int number) => new(number);
#pragma warning restore CA5394

    private static void Write(Stream stream)
    {
        stream.Write("commit refs/heads/master\ncommitter bench <bench@example.org> 1700000000 +0000\ndata 5\nIndex\n"u8);
        for (var i = 0; i < Files; i++)
        {
            var content = Encoding.UTF8.GetBytes(string.Concat(Lines(i).Select(line => line.Head + "false" + line.Tail)));
            stream.Write(Encoding.ASCII.GetBytes($"M 100644 inline {IndexPath.Of(Name(i))}\ndata {content.Length}\n"));
            stream.Write(content);
            stream.Write("\n"u8);
        }

        stream.Write("\ndone\n"u8);
    }
}
