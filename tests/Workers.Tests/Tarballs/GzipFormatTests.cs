using System.IO.Compression;
using Pipeline.Workers.Tarballs;
using static Pipeline.Workers.Tests.Tarballs.ArchiveBuilder;

namespace Pipeline.Workers.Tests.Tarballs;

public class GzipFormatTests
{
    private const string Malformed = "uploaded tarball is malformed or too large when decompressed";

    private static readonly byte[] Unmarked = WithManifest().EndingWith(0).ToTar();

    private static void ShouldBe(byte[] archive, string? problem, int at = 2)
    {
        var facts = TarballReaderTests.Read(archive);
        (facts.Problem?.Text, facts.ProblemAt).ShouldBe(problem is null ? (null, 0) : (problem, at));
    }

    private static byte[] With(byte[] bytes, Index at, byte value)
    {
        bytes[at] = value;
        return bytes;
    }

    /// <summary>A gzip file of these data with a header of our own.</summary>
    private static byte[] WithHeader(byte[] data, byte flags, params byte[] optional) =>
        [0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 255, .. optional, .. Gzip(data)[10..]];

    [Theory]
    [InlineData(CompressionLevel.NoCompression)]
    [InlineData(CompressionLevel.Fastest)]
    [InlineData(CompressionLevel.SmallestSize)]
    public void Every_kind_of_deflate_block_is_read(CompressionLevel level) => ShouldBe(WithManifest().File($"{Root}/a", new string('b', 100_000)).ToGzip(level), null);

    [Fact]
    public void What_is_not_gzip_is_malformed()
    {
        ShouldBe([], Malformed, 1);
        ShouldBe(Unmarked, Malformed, 1);
        ShouldBe([0x28, 0xb5, 0x2f, 0xfd, 0, 0, 0, 0, 0, 0], Malformed, 1);
        ShouldBe(With(Gzip(Unmarked), 0, 0x1e), Malformed, 1);
        ShouldBe(With(Gzip(Unmarked), 1, 0x8c), Malformed, 1);
        ShouldBe(With(Gzip(Unmarked), 2, 7), Malformed, 1);
        ShouldBe(With(Gzip(Unmarked), 3, 0x20), Malformed, 1);
        ShouldBe(Gzip(Unmarked)[..9], Malformed, 1);
        ShouldBe(Gzip(Unmarked)[..10], Malformed, 1);
    }

    [Fact]
    public void Optional_header_fields_are_passed_over()
    {
        ShouldBe(WithHeader(Unmarked, 0), null);
        ShouldBe(WithHeader(Unmarked, 1), null);
        ShouldBe(WithHeader(Unmarked, 4, 3, 0, 1, 2, 3), null);
        ShouldBe(WithHeader(Unmarked, 8 | 16, [.. "name\0comment\0"u8]), null);
        ShouldBe(WithHeader(Unmarked, 4 | 8, 1, 0, 8, 0), null);
        ShouldBe([.. WithHeader(Unmarked, 8)[..10], .. "name that never ends"u8], Malformed, 1);
        ShouldBe([.. WithHeader(Unmarked, 4)[..10], 200, 0, 1], Malformed, 1);
    }

    [Fact]
    public void A_header_checksum_is_checked_where_there_is_one()
    {
        byte[] header = [0x1f, 0x8b, 8, 2 | 8, 0, 0, 0, 0, 0, 255, (byte)'n', 0];
        var crc = (ushort)SlowCrc(header);

        ShouldBe(WithHeader(Unmarked, 2 | 8, (byte)'n', 0, (byte)crc, (byte)(crc >> 8)), null);
        ShouldBe(WithHeader(Unmarked, 2 | 8, (byte)'n', 0, (byte)crc, (byte)(crc >> 8 ^ 1)), Malformed, 1);
    }

    [Fact]
    public void The_trailer_is_checked_when_the_archive_is_read_to_the_end_of_the_data()
    {
        ShouldBe(Gzip(Unmarked), null);
        ShouldBe(With(Gzip(Unmarked), ^8, 0), Malformed);
        ShouldBe(With(Gzip(Unmarked), ^1, 1), Malformed);
        ShouldBe(Gzip(Unmarked)[..^1], Malformed);
        ShouldBe(Gzip(Unmarked)[..^8], Malformed);
        ShouldBe(Gzip(Unmarked)[..^9], Malformed);
    }

    [Fact]
    public void An_archive_of_nothing_has_no_manifest() =>
        ShouldBe([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0], "uploaded tarball is missing a `Cargo.toml` manifest file", TarballFacts.AfterLastEntry);

    [Fact]
    public void The_trailer_behind_the_end_marker_is_never_read()
    {
        // The tar reader stops at the first zero block and drops the rest (§2.1); cargo does the same when it unpacks.
        var archive = WithManifest().ToGzip();

        ShouldBe(With([.. archive], ^8, (byte)(archive[^8] ^ 1)), null);
        ShouldBe(archive[..^8], null);
    }

    [Fact]
    public void Only_the_first_member_is_read_and_everything_behind_it_is_hashed()
    {
        var first = Gzip(Unmarked);
        var outside = new ArchiveBuilder().File("elsewhere").ToGzip();

        ShouldBe([.. first, .. outside], null);
        ShouldBe([.. first, .. "junk"u8], null);
        ShouldBe([.. first, .. new byte[200_000]], null);

        byte[] all = [.. first, .. outside];
        var facts = TarballReaderTests.Read(all);
        facts.Size.ShouldBe(all.Length);
        facts.Checksum.ShouldBe(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(all)));
    }

    [Fact]
    public void A_trailer_is_found_wherever_the_slices_of_the_input_end()
    {
        // Bytes that do not compress, so that the data ends at every place around the end of an 8 KiB slice and a 64 KiB chunk.
        var noise = new byte[70_000];
        new Random(1).NextBytes(noise);
        foreach (var around in new[] { 8192, 65536 })
        {
            for (var length = around - 1100; length < around - 500; length += 3)
            {
                var tar = WithManifest().Entry('0', $"{Root}/noise", noise[..length]).EndingWith(0).ToTar();
                var archive = Gzip(tar);
                ShouldBe(archive, null);
                ShouldBe(With(archive, ^5, (byte)(archive[^5] ^ 1)), Malformed, 3);
            }
        }
    }

    [Fact]
    public void Deflate_data_that_break_within_an_entry_fail_at_the_next_one()
    {
        var noise = new byte[100_000];
        new Random(2).NextBytes(noise);
        var archive = WithManifest().Entry('0', $"{Root}/noise", noise).File($"{Root}/b").ToGzip(CompressionLevel.NoCompression);

        ShouldBe(archive[..50_000], Malformed, 3);
    }

    [Fact]
    public void Deflate_data_that_break_within_the_manifest_are_malformed()
    {
        var archive = new ArchiveBuilder().File($"{Root}/Cargo.toml", new string('#', 100_000)).ToGzip(CompressionLevel.NoCompression);

        ShouldBe(archive[..50_000], Malformed, 1);
    }

    [Fact]
    public void The_facts_do_not_depend_on_how_the_stream_returns_its_bytes()
    {
        var archive = WithManifest().File($"{Root}/a", new string('b', 50_000)).ToGzip();
        archive[^30] ^= 0x55;

        var whole = TarballReaderTests.Read(archive);
        var dripping = TarballReader.Read(new DrippingStream(archive), new TarballRules(Root), TestContext.Current.CancellationToken);

        dripping.ShouldBeEquivalentTo(whole);
    }

    [Fact]
    public void A_cancelled_reading_stops() =>
        Should.Throw<OperationCanceledException>(() => TarballReader.Read(new MemoryStream(WithManifest().ToGzip()), new TarballRules(Root), new CancellationToken(true)));

    [Fact]
    public void A_fault_of_the_stream_is_not_the_publishers() =>
        Should.Throw<InvalidDataException>(() => TarballReader.Read(new FaultyStream(), new TarballRules(Root), TestContext.Current.CancellationToken));

    [Fact]
    public void The_checksum_of_the_data_is_right_for_reads_of_every_length()
    {
        // The manifest is read at its own length, so the trailer, made by the framework, is compared with one made of such reads.
        for (var length = 0; length < 300; length++)
        {
            var archive = new ArchiveBuilder().File($"{Root}/Cargo.toml", new string('#', length)).EndingWith(0).ToGzip();
            ShouldBe(archive, null);
            ShouldBe(With(archive, ^6, (byte)(archive[^6] ^ 0x80)), Malformed);
        }
    }

    private static uint SlowCrc(byte[] data)
    {
        var crc = uint.MaxValue;
        foreach (var b in data)
        {
            crc ^= b;
            for (var bit = 0; bit < 8; bit++) crc = (crc & 1) == 0 ? crc >> 1 : crc >> 1 ^ 0xEDB88320;
        }
        return ~crc;
    }

    private sealed class DrippingStream(byte[] bytes) : MemoryStream(bytes)
    {
        public override int Read(Span<byte> buffer) => base.Read(buffer[..Math.Min(7, buffer.Length)]);
    }

    private sealed class FaultyStream : MemoryStream
    {
        public override int Read(Span<byte> buffer) => throw new InvalidDataException("the store is broken");
    }
}
