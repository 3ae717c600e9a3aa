using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using Pipeline.Bench.Crates;
using Pipeline.Bench.Git;
using Pipeline.Contracts;
using Pipeline.Contracts.Index;
using Pipeline.Registry.Database;
using Pipeline.Registry.Store;

namespace Pipeline.Bench.Reads;

/// <summary>Crates of one version: their index file, their .crate file of 5 KB, and their rows. Both servers serve the same bytes, each from a folder of its own.</summary>
internal sealed class ReadFiles
{
    private const int CrateBytes = 5 * 1024;
    private const int MostLines = 3;
    private const int Page = 1000;

    private readonly List<string> _keys = [];

    /// <summary>The paths of the index files.</summary>
    public List<string> Index { get; } = [];

    /// <summary>The paths of the .crate files.</summary>
    public List<string> Crates { get; } = [];

    /// <summary>Writes them.</summary>
    /// <param name="database">The registry's database.</param>
    /// <param name="objects">The folder of its objects.</param>
    /// <param name="copies">The folder that the other server serves.</param>
    /// <param name="count">How many crates.</param>
    public async Task WriteAsync(IDatabase database, string objects, string copies, int count)
    {
        for (var from = 0; from < count; from += Page)
        {
            var crates = Enumerable.Range(from, Math.Min(Page, count - from)).Select(number => Write(objects, copies, number)).ToList();
            await database.WriteAsync(async sql =>
            {
                foreach (var (name, checksum) in crates) await InsertAsync(sql, name, checksum);
                return 0;
            });
        }

        foreach (var key in _keys) (key.StartsWith(StoreKeys.Index, StringComparison.Ordinal) ? Index : Crates).Add("/" + key);
    }

    private (string Name, string Checksum) Write(string objects, string copies, int number)
    {
        var name = SyntheticIndex.Name(number);
        var index = Encoding.UTF8.GetBytes(string.Concat(SyntheticIndex.Lines(number).Take(MostLines).Select(static line => $"{line.Head}false{line.Tail}")));
        var crate = RandomNumberGenerator.GetBytes(CrateBytes);
        Write(objects, copies, StoreKeys.SparseFile(IndexPath.Of(name)), index);
        Write(objects, copies, StoreKeys.Crate(name, "1.0.0"), crate);
        using var zipped = File.Create(Path.Combine(copies, StoreKeys.SparseFile(IndexPath.Of(name)) + ".gz"));
        using var gzip = new GZipStream(zipped, CompressionLevel.Optimal);
        gzip.Write(index);
        return (name, Convert.ToHexStringLower(SHA256.HashData(crate)));
    }

    private void Write(string objects, string copies, string key, byte[] content)
    {
        var (path, copy) = (Path.Combine(objects, key), Path.Combine(copies, key));
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
        File.WriteAllBytes(path, content);
        File.WriteAllBytes(copy, content);
        _keys.Add(key);
    }

    private static async ValueTask InsertAsync(Statements sql, string name, string checksum)
    {
        var crate = await sql.LongAsync(
            "INSERT INTO crates (canonical, name, revision, num_versions, last_published_at, created_at, updated_at) VALUES ($1, $2, 1, 1, now_us(), now_us(), now_us()) RETURNING id",
            CanonicalName.Of(name).Text, name);
        await SampleVersion.InsertAsync(sql, crate!.Value, checksum, StoreKeys.Crate(name, "1.0.0"), CrateBytes);
    }
}
