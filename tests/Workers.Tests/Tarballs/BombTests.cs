using System.Diagnostics;
using System.IO.Compression;
using System.Text;
using Pipeline.Workers.Tarballs;
using static Pipeline.Workers.Tests.Tarballs.ArchiveBuilder;

namespace Pipeline.Workers.Tests.Tarballs;

/// <summary>Small uploads that unpack to a great deal: memory stays below 16 MiB and time grows with the bytes alone.</summary>
public class BombTests
{
    private const string Malformed = "uploaded tarball is malformed or too large when decompressed";

    /// <summary>Compresses blocks without holding them together, as many as make <paramref name="bytes"/>.</summary>
    private static byte[] Repeat(byte[] first, byte[] block, long bytes)
    {
        using var result = new MemoryStream();
        using (var gzip = new GZipStream(result, CompressionLevel.Fastest, leaveOpen: true))
        {
            gzip.Write(first);
            for (var written = 0L; written < bytes; written += block.Length) gzip.Write(block);
        }
        return result.ToArray();
    }

    private static TarballFacts Measure(byte[] archive, long limit = 512 << 20)
    {
        using var stream = new MemoryStream(archive);
        var clock = Stopwatch.StartNew();
        var before = GC.GetAllocatedBytesForCurrentThread();

        var facts = TarballReader.Read(stream, new TarballRules(Root) { UnpackLimit = limit }, TestContext.Current.CancellationToken);

        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBeLessThan(16 << 20);
        // Half a gigabyte takes about a second here; the rest is room for a machine that is busy with other things.
        clock.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(60));
        return facts;
    }

    [Fact]
    public void A_gigabyte_of_zeros_in_one_file_stops_at_the_limit()
    {
        var header = Sealed(Header("foo-1.0.0/a"u8.ToArray(), 1L << 30, '0'));

        var facts = Measure(Repeat(header, new byte[1 << 20], 1L << 30));

        (facts.Problem!.Text, facts.ProblemAt, facts.EntryCount).ShouldBe((Malformed, 2, 1));
    }

    [Fact]
    public void A_hundred_thousand_empty_entries_are_walked_without_keeping_them()
    {
        var entry = Sealed(Header("foo-1.0.0/src/lib.rs"u8.ToArray(), 0, '0'));
        var many = new byte[1024 * 512];
        for (var i = 0; i < many.Length; i += 512) entry.CopyTo(many, i);

        var facts = Measure(Repeat([], many, 70 << 20), limit: 64 << 20);

        (facts.Problem!.Text, facts.EntryCount, facts.Files.Count).ShouldBe((Malformed, (64 << 11) - 1, 1));
    }

    [Theory]
    [InlineData("/.")]
    [InlineData("..a")]
    [InlineData("a/")]
    public void A_flood_of_long_names_is_cut_off(string pattern)
    {
        var path = Encoding.ASCII.GetBytes($"{Root}/" + string.Concat(Enumerable.Repeat(pattern, 100_000)) + "q");
        var entry = new ArchiveBuilder().LongName(path).Entry('0', "a"u8.ToArray(), []).EndingWith(0).ToTar();

        var facts = Measure(Repeat([], entry, 70 << 20));

        facts.Problem!.Text.ShouldBe(Malformed);
        facts.EntryCount.ShouldBe((32 << 20) / (path.Length + 1));
    }

    [Fact]
    public void A_flood_of_pax_records_is_cut_off()
    {
        var records = new byte[1_000_000];
        for (var i = 0; i < records.Length; i += 4) "4 =\n"u8.CopyTo(records.AsSpan(i));
        var entry = new ArchiveBuilder().PaxBody(records).File($"{Root}/a").EndingWith(0).ToTar();

        var facts = Measure(Repeat([], entry, 70 << 20));

        (facts.Problem!.Text, facts.EntryCount).ShouldBe((Malformed, (32 << 20) / records.Length));
    }

    [Fact]
    public void A_manifest_that_claims_the_whole_archive_is_refused_before_it_is_read()
    {
        var header = Sealed(Header("foo-1.0.0/Cargo.toml"u8.ToArray(), 1L << 30, '0'));

        Measure(Repeat(header, new byte[1 << 20], 1L << 30)).Problem!.Text.ShouldBe("the manifest files of the uploaded tarball are larger than 2097152 bytes together");
    }

    [Fact]
    public void The_most_that_is_kept_stays_within_the_memory_of_one_reading()
    {
        var archive = new ArchiveBuilder().File($"{Root}/Cargo.toml", new string('#', 2 * 1024 * 1024));
        for (var i = 0; i < 20_000; i++) archive.File($"{Root}/src/bin/{i:D35}.rs");

        var facts = Measure(archive.ToGzip());

        facts.Problem.ShouldBeNull();
        facts.Files.Count.ShouldBe(20_000);
    }
}
