using System.Text;
using Pipeline.Workers.Tarballs;
using static Pipeline.Workers.Tests.Tarballs.ArchiveBuilder;

namespace Pipeline.Workers.Tests.Tarballs;

public class TarFormatTests
{
    private const string Malformed = "uploaded tarball is malformed or too large when decompressed";
    private const string BadSize = "uploaded tarball is malformed";

    private static readonly string Long = $"{Root}/{new string('a', 120)}";

    private static TarballFacts Read(byte[] tar) => TarballReaderTests.Read(Gzip(tar));

    private static void ShouldBe(ArchiveBuilder archive, string? problem, int at = 2) => ShouldBe(archive.ToTar(), problem, at);

    private static void ShouldBe(byte[] tar, string? problem, int at = 2)
    {
        var facts = Read(tar);
        (facts.Problem?.Text, facts.ProblemAt).ShouldBe(problem is null ? (null, 0) : (problem, at));
    }

    /// <summary>An archive whose second entry, a file of 3 bytes, had its header changed before (or after) it was sealed.</summary>
    private static ArchiveBuilder WithHeader(Action<byte[]> change, bool seal = true)
    {
        var header = Header("foo-1.0.0/a"u8.ToArray(), 3, '0');
        if (!seal) Sealed(header);
        change(header);
        return WithManifest().Raw(seal ? Sealed(header) : header).Raw(Padded("abc"u8.ToArray()));
    }

    [Theory]
    [InlineData("00000000003\0", true)]
    [InlineData("3\0          ", true)]
    [InlineData("          3 ", true)]
    [InlineData("\t\n\v\f\r +3\0", true)]
    [InlineData("000000000003", true)]
    [InlineData("3\0junk", true)]
    [InlineData("\u0080\0\0\0\0\0\0\0\0\0\0\u0003", true)]
    [InlineData("\u0080\u0001\u0001\u0001\0\0\0\0\0\0\0\u0003", true)]
    [InlineData("", false)]
    [InlineData("            ", false)]
    [InlineData("+", false)]
    [InlineData("-3", false)]
    [InlineData("++3", false)]
    [InlineData("8", false)]
    [InlineData("0x3", false)]
    [InlineData("3 3", false)]
    public void Sizes_are_octal_or_base_256(string field, bool good) => ShouldBe(WithHeader(h =>
    {
        h.AsSpan(124, 12).Clear();
        Put(h, 124, field);
    }), good ? null : Malformed);

    [Theory]
    [InlineData("00000003001\0", 3)] // past the end of the archive
    [InlineData("77777777777\0", 3)]
    [InlineData("\u00ff\u00ff\u00ff\u00ff\u007f\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff", 3)]
    [InlineData("\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff", 2)] // no sum with the padding in 64 bits
    public void A_size_larger_than_the_archive_fails(string field, int at) => ShouldBe(WithHeader(h => Put(h, 124, field)), Malformed, at);

    [Fact]
    public void A_wrong_checksum_fails() => ShouldBe(WithHeader(h => h[0] ^= 1, seal: false), Malformed);

    [Fact]
    public void A_checksum_over_signed_bytes_fails() => ShouldBe(
        WithHeader(h =>
        {
            h[20] = 0xe9;
            Put(h, 148, "        ");
            Put(h, 148, Convert.ToString(h.Sum(b => (sbyte)b), 8).PadLeft(6, '0') + "\0 ");
        }, seal: false), Malformed);

    [Theory]
    [InlineData("ustar\u000000")]
    [InlineData("ustar  \0")]
    [InlineData("\0\0\0\0\0\0\0\0")]
    [InlineData("junkjunk")]
    public void Files_of_every_tar_dialect_are_read(string magic) => ShouldBe(WithHeader(h => Put(h, 257, magic)), null);

    [Fact]
    public void The_prefix_is_joined_in_ustar_and_left_alone_elsewhere()
    {
        static byte[] Prefixed(string magic)
        {
            var header = Header("a"u8.ToArray(), 0, '0');
            Put(header, 257, magic);
            Put(header, 345, "foo-1.0.0/src");
            return WithManifest().Raw(Sealed(header)).ToTar();
        }

        ShouldBe(Prefixed("ustar\u000000"), null);
        ShouldBe(Prefixed("ustar  \0"), "invalid path found: a");
    }

    [Fact]
    public void A_name_and_a_prefix_may_fill_their_fields()
    {
        var header = Header(Encoding.ASCII.GetBytes(new string('n', 100)), 0, '0');
        Put(header, 345, "foo-1.0.0/" + new string('p', 145));

        ShouldBe(WithManifest().Raw(Sealed(header)), null);
    }

    [Fact]
    public void Extension_headers_without_magic_are_entries()
    {
        foreach (var (type, name) in new[] { ('L', "GNULongName"), ('K', "GNULongLink"), ('x', "XHeader") })
        {
            var header = Header("foo-1.0.0/a"u8.ToArray(), 0, type);
            Put(header, 257, "\0\0\0\0\0\0\0\0");
            ShouldBe(WithManifest().Raw(Sealed(header)), $"unexpected tar entry type {name} found: foo-1.0.0/a");
        }
    }

    [Fact]
    public void A_long_name_names_the_next_entry_only()
    {
        ShouldBe(WithManifest().File(Long).File($"{Root}/b"), null);
        ShouldBe(WithManifest().LongName(Encoding.UTF8.GetBytes(Long)).File("elsewhere").File("b"), "invalid path found: b", 3);
    }

    [Fact]
    public void A_long_link_is_passed_over() => ShouldBe(WithManifest().LongName("../../etc/passwd"u8.ToArray(), 'K').File($"{Root}/b"), null);

    [Fact]
    public void An_extension_header_without_its_entry_fails_as_in_cargos_reader()
    {
        foreach (var blocks in new[] { 0, 1, 2 })
        {
            ShouldBe(WithManifest().LongName("foo-1.0.0/a"u8.ToArray()).EndingWith(blocks), Malformed);
            ShouldBe(WithManifest().LongName("a"u8.ToArray(), 'K').EndingWith(blocks), Malformed);
            ShouldBe(WithManifest().Pax(("comment", "x")).EndingWith(blocks), Malformed);
            ShouldBe(WithManifest().PaxBody("").EndingWith(blocks), Malformed);
        }
    }

    [Theory]
    [InlineData("foo-1.0.0/a\0b")]
    [InlineData("foo-1.0.0/a\0/../b")]
    [InlineData("foo-1.0.0/a\0")]
    [InlineData("foo-1.0.0/\0")]
    [InlineData("foo-1.0.0\0/a")]
    [InlineData("foo-1.0.0/src/a.rs\0")]
    public void A_path_that_holds_a_NUL_is_refused_wherever_it_is_named(string path)
    {
        var shown = $"invalid path found: {path.Replace('\0', '\uFFFD')}";
        ShouldBe(WithManifest().LongName(Encoding.UTF8.GetBytes(path)).File($"{Root}/b"), shown);
        ShouldBe(WithManifest().Pax(("path", path)).File($"{Root}/b"), shown);
    }

    [Fact]
    public void A_long_name_may_come_without_the_NUL_that_ends_it()
    {
        var name = "foo-1.0.0/a"u8.ToArray();
        ShouldBe(WithManifest().Raw(Sealed(Header("././@LongLink"u8.ToArray(), name.Length, 'L'))).Raw(Padded(name)).File("elsewhere"), null);
    }

    [Fact]
    public void Two_headers_that_say_the_same_of_one_entry_fail()
    {
        ShouldBe(WithManifest().LongName("foo-1.0.0/a"u8.ToArray()).LongName("foo-1.0.0/b"u8.ToArray()).File("c"), Malformed);
        ShouldBe(WithManifest().LongName("a"u8.ToArray(), 'K').LongName("b"u8.ToArray(), 'K').File($"{Root}/c"), Malformed);
        ShouldBe(WithManifest().Pax(("comment", "a")).Pax(("comment", "b")).File($"{Root}/c"), Malformed);
        ShouldBe(WithManifest().LongName("foo-1.0.0/a"u8.ToArray()).Pax(("path", "foo-1.0.0/b")).File("c"), Malformed);
        ShouldBe(WithManifest().Pax(("path", "foo-1.0.0/b")).LongName("foo-1.0.0/a"u8.ToArray()).File("c"), Malformed);
        ShouldBe(WithManifest().LongName("a"u8.ToArray(), 'K').Pax(("linkpath", "b")).File($"{Root}/c"), Malformed);
        ShouldBe(WithManifest().Pax(("linkpath", "b")).LongName("a"u8.ToArray(), 'K').File($"{Root}/c"), Malformed);
    }

    [Fact]
    public void Different_headers_for_one_entry_go_together() =>
        ShouldBe(WithManifest().LongName("a"u8.ToArray(), 'K').Pax(("comment", "x")).LongName("foo-1.0.0/a"u8.ToArray()).File("elsewhere"), null);

    [Theory]
    [InlineData('L')]
    [InlineData('K')]
    [InlineData('x')]
    public void An_extension_header_of_more_than_a_megabyte_fails(char type)
    {
        byte[] Archive(int size) => WithManifest().Raw(Sealed(Header("x"u8.ToArray(), size, type))).Raw(Padded(PaxRecord("path", Encoding.ASCII.GetBytes(new string('a', size - 14))))).File($"{Root}/b").ToTar();

        (Read(Archive(1024 * 1024)).Problem?.Text).ShouldNotBe(Malformed);
        ShouldBe(Archive(1024 * 1024 + 1), Malformed);
    }

    [Fact]
    public void The_first_pax_path_counts() =>
        ShouldBe(WithManifest().Pax(("path", $"{Root}/é"), ("path", "elsewhere")).File("elsewhere"), null);

    [Fact]
    public void A_pax_path_with_a_NUL_is_shown_without_it() => ShouldBe(WithManifest().Pax(("path", "a\0b")).File($"{Root}/c"), "invalid path found: a\uFFFDb");

    [Theory]
    [InlineData("3", null)]
    [InlineData("+3", null)]
    [InlineData("003", null)]
    [InlineData("2", BadSize)]
    [InlineData("2048", BadSize)]
    [InlineData("18446744073709551000", BadSize)]
    [InlineData("", Malformed)]
    [InlineData("three", Malformed)]
    [InlineData("-3", Malformed)]
    [InlineData("3.0", Malformed)]
    [InlineData(" 3", Malformed)]
    [InlineData("+", Malformed)]
    [InlineData("18446744073709551615", Malformed)]
    [InlineData("18446744073709551616", Malformed)]
    public void A_pax_size_must_be_the_size_in_the_header(string size, string? problem) => ShouldBe(WithManifest().Pax(("size", size)).File($"{Root}/a", "abc"), problem);

    [Fact]
    public void Every_one_of_several_pax_sizes_must_be_the_size_in_the_header()
    {
        ShouldBe(WithManifest().Pax(("size", "3"), ("size", "3")).File($"{Root}/a", "abc"), null);
        ShouldBe(WithManifest().Pax(("size", "4"), ("size", "3")).File($"{Root}/a", "abc"), BadSize);
        ShouldBe(WithManifest().Pax(("size", "3"), ("size", "4")).File($"{Root}/a", "abc"), BadSize);
        ShouldBe(WithManifest().Pax(("size", "x"), ("size", "3")).File($"{Root}/a", "abc"), Malformed);
    }

    [Fact]
    public void A_pax_size_does_not_describe_the_extension_header_between() =>
        ShouldBe(WithManifest().Pax(("size", "3")).LongName("foo-1.0.0/a"u8.ToArray()).File("elsewhere", "abc"), null);

    [Theory]
    [InlineData("4", "uploaded tarball is malformed")]
    [InlineData("x", "uploaded tarball is malformed")]
    [InlineData("3", "unexpected tar entry type XGlobalHeader found: foo-1.0.0/g")]
    public void A_pax_size_before_a_global_header_is_compared_but_not_used(string size, string problem) =>
        ShouldBe(WithManifest().Pax(("size", size)).Entry('g', $"{Root}/g", "abc"u8.ToArray()), problem);

    [Theory]
    [InlineData("uid", "x", Malformed)]
    [InlineData("gid", "-1", Malformed)]
    [InlineData("uid", "1000", null)]
    [InlineData("mtime", "not a number", null)]
    [InlineData("", "", null)]
    public void Other_pax_records_matter_only_as_far_as_they_are_read(string key, string value, string? problem) =>
        ShouldBe(WithManifest().Pax((key, value)).File($"{Root}/a"), problem);

    [Theory]
    [InlineData("", null)]
    [InlineData("\n", null)]
    [InlineData("\njunk\n", null)]
    [InlineData("6 a=b\n", null)]
    [InlineData("+7 a=b\n", null)]
    [InlineData("7 a=b\n", Malformed)]
    [InlineData("6 a=b", Malformed)]
    [InlineData("6 a=b\n6 c=d", Malformed)]
    [InlineData("6 a=b\n5 cd\n", Malformed)]
    [InlineData("a=b\n", Malformed)]
    [InlineData(" a=b\n", Malformed)]
    [InlineData("x a=b\n", Malformed)]
    [InlineData("8 a=b\nc\n", Malformed)]
    [InlineData("6 a=b\n\0\0\0\0", Malformed)]
    [InlineData("99999999999999999999999 a=b\n", Malformed)]
    public void Pax_records_are_lines_that_state_their_length(string body, string? problem) => ShouldBe(WithManifest().PaxBody(body).File($"{Root}/a"), problem);

    [Fact]
    public void The_archive_may_end_with_no_or_one_zero_block_and_anything_behind_it()
    {
        ShouldBe(WithManifest().EndingWith(0), null);
        ShouldBe(WithManifest().EndingWith(1), null);
        ShouldBe([.. WithManifest().EndingWith(1).ToTar(), .. "junk"u8], null);
        ShouldBe([.. WithManifest().EndingWith(1).ToTar(), .. new ArchiveBuilder().File("elsewhere").ToTar()], null);
    }

    [Fact]
    public void An_archive_cut_off_anywhere_between_its_blocks_fails()
    {
        var tar = WithManifest().File($"{Root}/a", "abc").EndingWith(0).ToTar();

        ShouldBe(tar[..(1024 + 1)], Malformed);
        ShouldBe(tar[..(1024 + 511)], Malformed);
        ShouldBe(tar[..(1024 + 512)], Malformed, 3);
        ShouldBe(tar[..(1024 + 512 + 3)], Malformed, 3);
        ShouldBe(tar[..^1], Malformed, 3);
    }

    [Fact]
    public void A_manifest_cut_off_by_the_end_is_handed_on_before_the_archive_fails()
    {
        var facts = Read(WithManifest().ToTar()[..(512 + 20)]);

        facts.Manifests.ShouldBe([new ManifestFile("Cargo.toml", 1, Manifest[..20])]);
        (facts.Problem!.Text, facts.ProblemAt).ShouldBe((Malformed, 2));
    }
}
