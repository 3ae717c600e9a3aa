using Pipeline.Workers.Manifests;

namespace Pipeline.Workers.Tests.Manifests;

public class ManifestReaderTests
{
    [Fact]
    public void Every_field_of_the_package_is_read()
    {
        var manifest = ManifestReading.Accepted(
            """
            [package]
            name = "Foo-bar"
            version = "1.0.0+build"
            edition = "2021"
            rust-version = "1.56"
            authors = ["A <a@example.com>"]
            description = "what it is"
            homepage = "https://example.com/h"
            documentation = "https://example.com/d"
            repository = "https://example.com/r"
            readme = false
            build = "build.rs"
            license = "MIT"
            license-file = "LICENSE"
            links = "git2"
            keywords = ["b", "a"]
            categories = ["y", "x"]
            autolib = false
            autobins = true
            autoexamples = true
            autotests = true
            autobenches = true
            publish = ["elsewhere"]
            metadata.docs.rs = { all-features = true }
            """);

        (manifest.Name, manifest.Version, manifest.Edition, manifest.RustVersion).ShouldBe(("Foo-bar", "1.0.0+build", "2021", "1.56"));
        (manifest.Description, manifest.License, manifest.LicenseFile, manifest.Links).ShouldBe(("what it is", "MIT", "LICENSE", "git2"));
        (manifest.Homepage, manifest.Documentation, manifest.Repository)
            .ShouldBe(("https://example.com/h", "https://example.com/d", "https://example.com/r"));
        manifest.Keywords.ShouldBe(["b", "a"]);
        manifest.Categories.ShouldBe(["y", "x"]);
        (manifest.Targets.AutoLib, manifest.Targets.AutoBins).ShouldBe((false, true));
    }

    [Fact]
    public void What_is_not_written_is_null_or_empty()
    {
        var manifest = ManifestReading.Accepted(ManifestReading.Package);

        (manifest.Edition, manifest.RustVersion, manifest.Description, manifest.License, manifest.Links).ShouldBe((null, null, null, null, null));
        manifest.Keywords.ShouldBeEmpty();
        manifest.Dependencies.ShouldBeEmpty();
        manifest.Features.ShouldBeEmpty();
        manifest.Targets.ShouldBe(new ManifestTargets { Bins = manifest.Targets.Bins });
        manifest.Targets.Bins.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("[project]\nname = 'foo'\nversion = '1.0.0'\n")]
    [InlineData("name = 'foo'\nversion = '1.0.0'\n[dependencies]\n[badges]\n")]
    [InlineData("package = { name = 'foo', version = '1.0.0' }\n[project]\nname = 'other'\n")]
    [InlineData("package.name = 'foo'\npackage.version = '1.0.0'\n")]
    [InlineData("\uFEFF[package]\r\nname = 'foo'\r\nversion = '1.0.0'\r\n")]
    public void The_package_may_be_written_in_old_and_other_ways(string toml)
    {
        var manifest = ManifestReading.Accepted(toml);

        (manifest.Name, manifest.Version).ShouldBe(("foo", "1.0.0"));
    }

    [Fact]
    public void Features_are_sorted_by_bytes_and_keep_the_order_of_their_values()
    {
        var manifest = ManifestReading.Accepted(
            ManifestReading.Package + "[features]\nb = ['z', 'a']\n'\U0001F980' = []\n'\uFFFD' = []\nB = ['dep:x']\n\"\" = []\n");

        manifest.Features.Select(feature => feature.Key).ShouldBe(["", "B", "b", "\uFFFD", "\U0001F980"]);
        manifest.Features[2].Value.ShouldBe(["z", "a"]);
    }

    [Fact]
    public void Declared_targets_keep_their_order()
    {
        var manifest = ManifestReading.Accepted(
            ManifestReading.Package
            + """
            [lib]
            name = "l"
            path = "x.rs"
            proc_macro = true
            crate-type = ["lib"]
            edition = "2018"
            [[bin]]
            name = "b"
            test = false
            [[bin]]
            path = "a.rs"
            required-features = ["f"]
            [[example]]
            name = "e"
            crate_type = ["bin"]
            [[test]]
            harness = false
            [[bench]]
            required_features = []
            """);

        (manifest.Targets.HasLibTable, manifest.Targets.LibName, manifest.Targets.LibPath).ShouldBe((true, "l", "x.rs"));
        manifest.Targets.Bins.ShouldBe([("b", null), (null, "a.rs")]);
    }

    [Fact]
    public void Bytes_are_read_as_UTF_8()
    {
        ManifestReader.TryRead("name = 'é'\nversion = '1'"u8, out var manifest, out _).ShouldBeTrue();
        manifest!.Name.ShouldBe("é");

        ManifestReader.TryRead([.. "name = '"u8, 0xFF], out manifest, out var reject).ShouldBeFalse();
        reject!.Text.ShouldBe(
            "failed to parse `Cargo.toml` manifest file\n\n"
            + "TOML parse error at line 1, column 9\n  |\n1 | name = '\uFFFD\n  |         ^\nexpected UTF-8, found bytes that are not\n");
    }
}
