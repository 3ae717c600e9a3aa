using Pipeline.Contracts;
using Pipeline.Workers.Manifests;
using static Pipeline.Workers.Tests.Manifests.SomeManifest;

namespace Pipeline.Workers.Tests.Manifests;

public class ReleaseRulesTests
{
    private const string FeatureFirst = "the first character must be a Unicode XID start character or digit (most letters or `_` or `0` to `9`)";
    private const string BadRustVersion = "failed to parse `Cargo.toml` manifest file\n\ninvalid `rust-version` value";
    private const string AskForMore =
        "\n\nIf you have a use case that requires an increase of this limit, please contact the operators of this registry to discuss the details.";

    [Fact]
    public void What_an_accepted_manifest_says_is_recorded()
    {
        var release = Accept(Valid with
        {
            Edition = "2021",
            RustVersion = "1.70",
            Links = "git2",
            Homepage = "https://example.com",
            Documentation = "http://example.com/docs",
            Repository = "https://example.com/x.git",
            Keywords = ["Web", "web", "c++"],
            Categories = ["web-programming"],
            Features = [Feature("default", "std"), Feature("std")],
        });
        release.Name.Text.ShouldBe("foo");
        release.Version.Text.ShouldBe("1.0.0");
        release.Description.ShouldBe("description");
        release.License.ShouldBe("MIT");
        release.Edition.ShouldBe("2021");
        release.RustVersion.ShouldBe("1.70");
        release.Links.ShouldBe("git2");
        (release.Homepage, release.Documentation, release.Repository)
            .ShouldBe(("https://example.com", "http://example.com/docs", "https://example.com/x.git"));
        release.Keywords.ShouldBe(["web", "c++"]);
        release.Categories.ShouldBe(["web-programming"]);
        release.Features.Select(feature => feature.Key).ShouldBe(["default", "std"]);
        release.Dependencies.ShouldBeEmpty();
        release.LocalDependencies.ShouldBeEmpty();
    }

    [Fact]
    public void A_manifest_of_another_crate_or_version_is_refused()
    {
        Decide(Valid with { Name = "Foo" }).Reject
            .ShouldBe(new Reject(RejectCodes.MetadataMismatch, 400, "metadata name `foo` does not match manifest name `Foo`"));
        RejectTextOf(Valid with { Version = "1.0.0+x" }).ShouldBe("metadata version `1.0.0` does not match manifest version `1.0.0+x`");
    }

    [Theory]
    [InlineData(null, "MIT", null, "description")]
    [InlineData("", "MIT", null, "description")]
    [InlineData("d", null, null, "license")]
    [InlineData("d", "", "", "license")]
    [InlineData("", "", null, "description, license")]
    public void Description_and_licence_must_be_there(string? description, string? license, string? licenseFile, string missing) =>
        RejectTextOf(Valid with { Description = description, License = license, LicenseFile = licenseFile }).ShouldBe(
            $"missing or empty metadata fields: {missing}. " +
            "Please see https://doc.rust-lang.org/cargo/reference/manifest.html for more information on configuring these fields");

    [Fact]
    public void A_licence_file_alone_is_recorded_as_non_standard() =>
        Accept(Valid with { License = null, LicenseFile = "LICENSE" }).License.ShouldBe("non-standard");

    [Fact]
    public void A_licence_that_is_no_SPDX_expression_is_refused_even_beside_a_file()
    {
        RejectTextOf(Valid with { License = "MIT AND foobar" })!.ShouldEndWith("for more information.\nMIT AND foobar\n        ^^^^^^ unknown term");
        Decide(Valid with { License = "", LicenseFile = "LICENSE" }).Reject!.Code.ShouldBe(RejectCodes.InvalidLicense);
    }

    [Fact]
    public void A_description_has_at_most_1000_bytes()
    {
        RejectTextOf(Valid with { Description = new string('a', 1000) }).ShouldBeNull();
        const string TooLong = "The `description` is too long. A maximum of 1000 characters are currently allowed.";
        RejectTextOf(Valid with { Description = new string('a', 1001) }).ShouldBe(TooLong);
        RejectTextOf(Valid with { Description = new string('é', 501) }).ShouldBe(TooLong);
    }

    [Theory]
    [InlineData("x")]
    [InlineData("")]
    [InlineData("HTTPS://example.com")]
    [InlineData("https:/example.com")]
    [InlineData(" https://example.com")]
    [InlineData("git://example.com/x.git")]
    public void A_link_must_begin_with_its_scheme(string url)
    {
        RejectTextOf(Valid with { Homepage = url }).ShouldBe($"URL for field `homepage` must begin with http:// or https:// (url: {url})");
        RejectTextOf(Valid with { Repository = url }).ShouldBe($"URL for field `repository` must begin with http:// or https:// (url: {url})");
    }

    [Fact]
    public void Links_are_checked_in_order_each_in_full()
    {
        RejectTextOf(Valid with { Homepage = "https://", Documentation = "x", Repository = "x" }).ShouldBe("`homepage` is not a valid url: `https://`");
        RejectTextOf(Valid with { Documentation = "https://", Repository = "x" }).ShouldBe("`documentation` is not a valid url: `https://`");
    }

    [Theory]
    [InlineData("1")]
    [InlineData("1.69")]
    [InlineData("1.70.0")]
    public void A_rust_version_is_one_to_three_numbers(string rustVersion) => Accept(Valid with { RustVersion = rustVersion }).RustVersion.ShouldBe(rustVersion);

    [Theory]
    [InlineData("")]
    [InlineData("*")]
    [InlineData("^1.56")]
    [InlineData(">=1.56")]
    [InlineData("1.0.0-beta.2")]
    [InlineData("1.56 ")]
    [InlineData("1.56.")]
    [InlineData("1.2.3.4")]
    [InlineData("01.2")]
    [InlineData("nightly")]
    public void Anything_else_is_no_rust_version(string rustVersion) => RejectTextOf(Valid with { RustVersion = rustVersion }).ShouldBe(BadRustVersion);

    [Theory]
    [InlineData("web", null)]
    [InlineData("C++_-1", null)]
    [InlineData("aaaaaaaaaaaaaaaaaaaa", null)]
    [InlineData("aaaaaaaaaaaaaaaaaaaaa", "\"aaaaaaaaaaaaaaaaaaaaa\" is an invalid keyword (keywords must have less than 20 characters)")]
    [InlineData("ééééééééééé", "\"ééééééééééé\" is an invalid keyword (keywords must have less than 20 characters)")]
    [InlineData("", "\"\" is an invalid keyword")]
    [InlineData("?", "\"?\" is an invalid keyword")]
    [InlineData("-a", "\"-a\" is an invalid keyword")]
    [InlineData("a b", "\"a b\" is an invalid keyword")]
    [InlineData("é", "\"é\" is an invalid keyword")]
    public void A_keyword_is_short_and_ASCII(string keyword, string? expected) => RejectTextOf(Valid with { Keywords = [keyword] }).ShouldBe(expected);

    [Fact]
    public void There_are_at_most_five_keywords_and_five_categories()
    {
        string[] six = ["a", "b", "c", "d", "e", "?"];
        RejectTextOf(Valid with { Keywords = six }).ShouldBe("expected at most 5 keywords per crate");
        RejectTextOf(Valid with { Categories = six }).ShouldBe("expected at most 5 categories per crate");
        RejectTextOf(Valid with { Categories = six[1..] }).ShouldBeNull();
    }

    [Fact]
    public void Features_are_counted_and_so_are_their_values()
    {
        var limits = new PublishLimits(MaxFeatures: 2);
        RejectTextOf(Valid with { Features = [Feature("a"), Feature("b"), Feature("c")] }, limits).ShouldBe(
            "this registry only allows a maximum number of 2 features, but your crate is declaring 3 features." + AskForMore);
        RejectTextOf(Valid with { Features = [Feature("a", "x", "y"), Feature("b", "x", "y", "~z")] }, limits).ShouldBe(
            "this registry only allows a maximum number of 2 features or dependencies that another feature can enable, " +
            "but the \"b\" feature of your crate is enabling 3 features or dependencies." + AskForMore);
    }

    [Fact]
    public void Feature_names_come_before_their_values_and_both_before_the_next_feature()
    {
        RejectTextOf(Valid with { Features = [Feature("~a", "~b")] }).ShouldBe("invalid character `~` in feature `~a`, " + FeatureFirst);
        RejectTextOf(Valid with { Features = [Feature("a", "~b"), Feature("~c")] }).ShouldBe("invalid character `~` in feature `~b`, " + FeatureFirst);
    }

    [Fact]
    public void The_first_broken_rule_in_crates_io_s_order_is_the_one_reported()
    {
        // Every rule is broken; one after the other is mended.
        var manifest = new Manifest
        {
            Name = "bar",
            Version = "2.0.0",
            License = "mit",
            Homepage = "x",
            RustVersion = "x",
            Keywords = ["?"],
            Categories = ["a", "b", "c", "d", "e", "f"],
            Features = [Feature("~f")],
            Dependencies = [Dependency("nope", "*")],
        };
        RejectTextOf(manifest)!.ShouldStartWith("metadata name");
        RejectTextOf(manifest = manifest with { Name = "foo" })!.ShouldStartWith("metadata version");
        RejectTextOf(manifest = manifest with { Version = "1.0.0" })!.ShouldStartWith("missing or empty metadata fields: description.");
        RejectTextOf(manifest = manifest with { Description = new string('a', 1001) })!.ShouldStartWith("The `description` is too long.");
        RejectTextOf(manifest = manifest with { Description = "d" })!.ShouldStartWith("unknown or invalid license expression");
        RejectTextOf(manifest = manifest with { License = "MIT" })!.ShouldStartWith("URL for field `homepage`");
        RejectTextOf(manifest = manifest with { Homepage = null }).ShouldBe(BadRustVersion);
        RejectTextOf(manifest = manifest with { RustVersion = null }).ShouldBe("\"?\" is an invalid keyword");
        RejectTextOf(manifest = manifest with { Keywords = [] }).ShouldBe("expected at most 5 categories per crate");
        RejectTextOf(manifest = manifest with { Categories = [] })!.ShouldStartWith("invalid character `~` in feature `~f`");
        RejectTextOf(manifest = manifest with { Features = [] })!.ShouldStartWith("wildcard (`*`)");
        RejectTextOf(manifest with { Dependencies = [] }).ShouldBeNull();
    }
}
