using System.Text;
using Pipeline.Contracts;
using Pipeline.Workers.Tarballs;
using static Pipeline.Workers.Tests.Tarballs.ArchiveBuilder;

namespace Pipeline.Workers.Tests.Tarballs;

public class TarballReaderTests
{
    private const string Malformed = "uploaded tarball is malformed or too large when decompressed";

    internal static TarballFacts Read(byte[] archive, TarballRules? rules = null) =>
        TarballReader.Read(new MemoryStream(archive), rules ?? new TarballRules(Root), TestContext.Current.CancellationToken);

    private static TarballFacts Read(ArchiveBuilder archive, TarballRules? rules = null) => Read(archive.ToGzip(), rules);

    private static void ShouldFail(TarballFacts facts, string text, int at, string code = RejectCodes.InvalidArchive)
    {
        facts.Problem.ShouldBe(new Reject(code, 400, text));
        facts.ProblemAt.ShouldBe(at);
    }

    [Fact]
    public void A_good_archive_gives_its_facts()
    {
        var bytes = WithManifest()
            .Folder($"{Root}/src")
            .File($"{Root}/src/lib.rs", "pub fn foo() {}")
            .File($"{Root}/.cargo_vcs_info.json", """{"git":{"sha1":"0"},"path_in_vcs":"crates/foo"}""")
            .ToGzip();

        var facts = Read(bytes);

        facts.Problem.ShouldBeNull();
        facts.ProblemAt.ShouldBe(0);
        facts.Checksum.ShouldBe(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(bytes)));
        facts.Size.ShouldBe(bytes.Length);
        facts.EntryCount.ShouldBe(4);
        facts.UnpackedSize.ShouldBe(Manifest.Length + 15 + 47);
        facts.Manifests.ShouldBe([new ManifestFile("Cargo.toml", 1, Manifest)]);
        facts.Manifest.ShouldBe(facts.Manifests[0]);
        facts.Files.ShouldBe(["src/lib.rs"]);
        facts.PathInVcs.ShouldBe("crates/foo");
    }

    [Fact]
    public void The_facts_survive_their_JSON_form()
    {
        var facts = Read(WithManifest().File($"{Root}/src/lib.rs").File("elsewhere"));

        var json = System.Text.Json.JsonSerializer.Serialize(facts, TarballJson.Default.TarballFacts);

        json.ShouldBe(
            $$"""{"checksum":"{{facts.Checksum}}","size":{{facts.Size}},"entryCount":3,"unpackedSize":{{Manifest.Length}},"problem":{"code":"invalid-archive","status":400,"text":"invalid path found: elsewhere"},"problemAt":3,"manifests":[{"name":"Cargo.toml","entry":1,"text":"[package]\nname = \u0022foo\u0022\nversion = \u00221.0.0\u0022\n"}],"files":["src/lib.rs"]}""");
        var back = System.Text.Json.JsonSerializer.Deserialize(json, TarballJson.Default.TarballFacts)!;
        System.Text.Json.JsonSerializer.Serialize(back, TarballJson.Default.TarballFacts).ShouldBe(json);
    }

    [Theory]
    [InlineData("foo-1.0.0/./a")]
    [InlineData("foo-1.0.0//a")]
    [InlineData("foo-1.0.0")]
    [InlineData("foo-1.0.0/")]
    [InlineData("foo-1.0.0/a/...")]
    [InlineData("foo-1.0.0/a/..b")]
    [InlineData("foo-1.0.0/a../b")]
    [InlineData("foo-1.0.0/a..")]
    [InlineData("foo-1.0.0/.../...a/....")]
    [InlineData("foo-1.0.0/a\\..\\b")]
    [InlineData("foo-1.0.0/CON")]
    public void A_path_below_the_root_is_fine(string path) => Read(WithManifest().File(path)).Problem.ShouldBeNull();

    [Theory]
    [InlineData("./foo-1.0.0/a")]
    [InlineData("/foo-1.0.0/a")]
    [InlineData("foo-1.0.0x/a")]
    [InlineData("FOO-1.0.0/a")]
    [InlineData("foo-1.0.0\\a")]
    [InlineData("foo-1.0.0/../a")]
    [InlineData("foo-1.0.0/a/..")]
    [InlineData("foo-1.0.0/a/./../b")]
    [InlineData("foo-1.0.0/a../../b")]
    [InlineData("foo-1.0.0/.../..")]
    [InlineData("foo-1.0.0/..//")]
    [InlineData("../foo-1.0.0/a")]
    [InlineData("")]
    public void A_path_outside_the_root_or_climbing_is_refused(string path) =>
        ShouldFail(Read(WithManifest().File(path)), $"invalid path found: {path}", 2);

    [Fact]
    public void A_path_that_is_not_UTF8_is_refused_and_shown_with_replacements() =>
        ShouldFail(Read(WithManifest().Entry('0', [.. "foo-1.0.0/"u8, 0xff, (byte)'a', 0xe2, 0x82], [])), "invalid path found: foo-1.0.0/\uFFFDa\uFFFD", 2);

    [Theory]
    [InlineData('1', "Link")]
    [InlineData('2', "Symlink")]
    [InlineData('3', "Char")]
    [InlineData('4', "Block")]
    [InlineData('6', "Fifo")]
    [InlineData('7', "Continuous")]
    [InlineData('S', "GNUSparse")]
    [InlineData('g', "XGlobalHeader")]
    [InlineData('Z', "Other(90)")]
    [InlineData('\u00ff', "Other(255)")]
    public void Only_files_and_folders_are_allowed(char type, string name) =>
        ShouldFail(Read(WithManifest().Entry(type, "foo-1.0.0/a", [])), $"unexpected tar entry type {name} found: foo-1.0.0/a", 2);

    [Theory]
    [InlineData('\0')]
    [InlineData('0')]
    [InlineData('5')]
    public void Files_of_either_flag_and_folders_are_allowed(char type) => Read(WithManifest().Entry(type, "foo-1.0.0/a", [])).Problem.ShouldBeNull();

    [Fact]
    public void The_path_rule_comes_before_the_type_rule() =>
        ShouldFail(Read(WithManifest().Entry('2', "foo-2.0.0/a", [])), "invalid path found: foo-2.0.0/a", 2);

    [Theory]
    [InlineData(4, true)]
    [InlineData(3, false)]
    public void The_entry_limit_counts_folders_but_no_extension_headers(int limit, bool good)
    {
        var archive = new ArchiveBuilder()
            .Pax(("comment", "metadata"))
            .Folder("foo-1.0.0")
            .File("foo-1.0.0/Cargo.toml", Manifest)
            .Folder("foo-1.0.0/src")
            .File($"foo-1.0.0/{new string('a', 120)}");

        var facts = Read(archive, new TarballRules(Root) { MaxEntries = limit });

        if (good) facts.Problem.ShouldBeNull();
        else ShouldFail(facts, "uploaded tarball contains more than 3 entries", 4, RejectCodes.LimitExceeded);
    }

    [Fact]
    public void The_entry_limit_comes_before_everything_else_about_the_entry() =>
        ShouldFail(Read(WithManifest().Entry('2', "elsewhere", []), new TarballRules(Root) { MaxEntries = 1 }),
            "uploaded tarball contains more than 1 entries", 2, RejectCodes.LimitExceeded);

    [Theory]
    [InlineData("Cargo.toml", null)]
    [InlineData("cargo.toml", null)]
    [InlineData("CARGO.TOML", "uploaded tarball is missing a `Cargo.toml` manifest file; `CARGO.TOML` was found, but must be named `Cargo.toml` with that exact casing")]
    [InlineData("sub/Cargo.toml", "uploaded tarball is missing a `Cargo.toml` manifest file")]
    [InlineData("Cargo.toml.orig", "uploaded tarball is missing a `Cargo.toml` manifest file")]
    [InlineData("/Cargo.toml", null)]
    [InlineData("./Cargo.toml", null)]
    [InlineData("Cargo.toml/", null)]
    [InlineData("Cargo.toml/.", null)]
    public void The_manifest_is_found_by_name_at_the_root(string path, string? problem)
    {
        var facts = Read(new ArchiveBuilder().File($"{Root}/{path}", Manifest));

        if (problem is not null) ShouldFail(facts, problem, TarballFacts.AfterLastEntry);
        (facts.Problem?.Text, facts.Manifest?.Text).ShouldBe(problem is null ? (null, Manifest) : (problem, null));
    }

    [Fact]
    public void Several_casings_are_named_in_byte_order_after_the_last_entry()
    {
        var facts = Read(WithManifest().File($"{Root}/cargo.toml", "a").File($"{Root}/CARGO.TOML", "b").File($"{Root}/z"));

        ShouldFail(facts, "uploaded tarball contains more than one `Cargo.toml` manifest file; found `CARGO.TOML`, `Cargo.toml`, `cargo.toml`", TarballFacts.AfterLastEntry);
        facts.Manifests.Select(m => (m.Name, m.Entry, m.Text)).ShouldBe([("Cargo.toml", 1, Manifest), ("cargo.toml", 2, "a"), ("CARGO.TOML", 3, "b")]);
    }

    [Fact]
    public void The_same_manifest_twice_is_allowed_and_the_last_one_counts()
    {
        var facts = Read(new ArchiveBuilder().File($"{Root}/Cargo.toml", "old").File($"{Root}//Cargo.toml", Manifest));

        facts.Problem.ShouldBeNull();
        facts.Manifests.Select(m => m.Text).ShouldBe(["old", Manifest]);
        facts.Manifest!.Text.ShouldBe(Manifest);
    }

    [Fact]
    public void A_manifest_that_is_not_UTF8_is_the_publishers_fault() =>
        ShouldFail(Read(new ArchiveBuilder().Entry('0', $"{Root}/Cargo.toml", [0xff])), "`foo-1.0.0/Cargo.toml` in the uploaded tarball is not valid UTF-8", 1);

    [Fact]
    public void More_manifests_than_are_kept_are_refused()
    {
        var archive = new ArchiveBuilder();
        for (var i = 0; i < 17; i++) archive.File($"{Root}/Cargo.toml", Manifest);

        var facts = Read(archive);

        ShouldFail(facts, "uploaded tarball contains more than 16 entries named `Cargo.toml` in its root", 17, RejectCodes.LimitExceeded);
        facts.Manifests.Count.ShouldBe(16);
    }

    [Fact]
    public void Larger_manifests_than_are_kept_are_refused() =>
        ShouldFail(Read(WithManifest().File($"{Root}/Cargo.toml", new string('#', 2 * 1024 * 1024 - Manifest.Length + 1))),
            "the manifest files of the uploaded tarball are larger than 2097152 bytes together", 2, RejectCodes.LimitExceeded);

    [Fact]
    public void Manifests_of_exactly_the_kept_size_are_allowed() =>
        Read(WithManifest().File($"{Root}/Cargo.toml", new string('#', 2 * 1024 * 1024 - Manifest.Length))).Problem.ShouldBeNull();

    [Fact]
    public void Only_paths_of_target_inference_are_kept_and_normalised()
    {
        var archive = WithManifest();
        foreach (var path in (string[])["src", "src/lib.rs", "src//main.rs", "src/./lib.rs", "src/deep/lib.rs", "src/bin", "src/bin/a.rs", "src/bin/b/main.rs",
            "src/bin/b/other.rs", "src/bin/c/", "src/bin/d/./main.rs", "src/bin/e.rs/main.rs", "src/notes.md", "lib.rs", "srcs/lib.rs", "src/f.rs/x", "src/bin/g/main.rs/x"])
            archive.File($"{Root}/{path}");

        Read(archive).Files.ShouldBe(["src/lib.rs", "src/main.rs", "src/bin/a.rs", "src/bin/b/main.rs", "src/bin/d/main.rs", "src/bin/e.rs", "src/f.rs", "src/bin/g/main.rs"]);
    }

    [Fact]
    public void More_source_files_than_are_kept_are_refused()
    {
        var archive = WithManifest();
        for (var i = 0; i <= 20_000; i++) archive.File($"{Root}/src/bin/{i}.rs");

        var facts = Read(archive);

        ShouldFail(facts, "uploaded tarball contains more than 20000 source files in `src` and `src/bin`, or too long names there", 20_002, RejectCodes.LimitExceeded);
        facts.Files.Count.ShouldBe(20_000);
    }

    [Theory]
    [InlineData("{\"path_in_vcs\": \"path/in/vcs\"}", "path/in/vcs")]
    [InlineData("{\"unknown\": {\"path_in_vcs\": \"x\"}}", "")]
    [InlineData("{}", "")]
    [InlineData("{\"a\":[1,{}],\"path_in_vcs\":\"\\u00e9\"} ", "é")]
    [InlineData("", null)]
    [InlineData("[]", null)]
    [InlineData("{\"path_in_vcs\": null}", null)]
    [InlineData("{\"path_in_vcs\": 1}", null)]
    [InlineData("{\"path_in_vcs\": \"\\ud800\"}", null)]
    [InlineData("{\"path_in_vcs\": \"a\", \"path_in_vcs\": \"b\"}", null)]
    [InlineData("{\"path_in_vcs\": \"a\"} x", null)]
    [InlineData("{\"path_in_vcs\": \"a\"", null)]
    public void The_path_in_the_repository_is_read_or_absent(string json, string? path)
    {
        var facts = Read(WithManifest().File($"{Root}/.cargo_vcs_info.json", json));

        facts.Problem.ShouldBeNull();
        facts.PathInVcs.ShouldBe(path);
    }

    [Fact]
    public void Repository_information_deeper_down_is_not_read() =>
        Read(WithManifest().File($"{Root}/sub/.cargo_vcs_info.json", """{"path_in_vcs":"x"}""")).PathInVcs.ShouldBeNull();

    [Fact]
    public void Repository_information_that_is_too_large_counts_as_absent() =>
        Read(WithManifest().File($"{Root}/.cargo_vcs_info.json", """{"path_in_vcs":"x"}""" + new string(' ', 70_000))).PathInVcs.ShouldBeNull();

    [Fact]
    public void Repository_information_that_is_not_UTF8_is_the_publishers_fault() =>
        ShouldFail(Read(WithManifest().Entry('0', $"{Root}/.cargo_vcs_info.json", [0xc0])), "`foo-1.0.0/.cargo_vcs_info.json` in the uploaded tarball is not valid UTF-8", 2);

    [Fact]
    public void Reaching_the_unpack_limit_fails_and_staying_one_byte_below_does_not()
    {
        // Manifest and its padding, one header, 2000 bytes and their padding, and the first zero block: all of it counts.
        var archive = WithManifest().File($"{Root}/big", new string('a', 2000)).ToGzip();
        var total = 512 + 512 + 512 + 2048 + 512;

        Read(archive, new TarballRules(Root) { UnpackLimit = total + 1, UploadLimit = 0 }).Problem.ShouldBeNull();
        ShouldFail(Read(archive, new TarballRules(Root) { UnpackLimit = total, UploadLimit = 0 }), Malformed, 3);
        ShouldFail(Read(archive, new TarballRules(Root) { UnpackLimit = 512 + 512 + 512, UploadLimit = 0 }), Malformed, 2);
    }

    [Fact]
    public void The_unpack_limit_is_at_least_the_upload_limit() => new TarballRules(Root) { UnpackLimit = 2000, UploadLimit = 3000 }.EffectiveUnpackLimit.ShouldBe(3000);

    [Fact]
    public void The_unpack_limit_inside_a_manifest_is_the_publishers_fault() =>
        ShouldFail(Read(WithManifest(), new TarballRules(Root) { UnpackLimit = 512 + Manifest.Length, UploadLimit = 0 }),
            "uploaded tarball is too large when decompressed: the limit lies inside `foo-1.0.0/Cargo.toml`", 1);

    [Fact]
    public void A_huge_path_is_cut_where_it_is_shown()
    {
        var facts = Read(WithManifest().File(new string('a', 500_000)));

        facts.Problem!.Text.ShouldBe($"invalid path found: {new string('a', 199)}…");
    }

    [Fact]
    public void The_size_of_a_folder_is_passed_over() => Read(WithManifest().Entry('5', $"{Root}/src", Encoding.UTF8.GetBytes(new string('a', 700))).File($"{Root}/b")).EntryCount.ShouldBe(3);
}
