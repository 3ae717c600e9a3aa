using Pipeline.Contracts;
using Pipeline.Contracts.Index;
using Pipeline.Workers.Manifests;
using static Pipeline.Workers.Tests.Manifests.SomeManifest;

namespace Pipeline.Workers.Tests.Manifests;

public class DependencyRulesTests
{
    private const string CratesIo = WellKnownRegistries.CratesIoIndex;

    [Fact]
    public void Dependencies_are_recorded_in_manifest_order_with_normalised_requirements()
    {
        var release = Accept(With(
            new ManifestDependency("bar", null, ">=1,<2", "", null, ["b", "a"], Optional: true, DefaultFeatures: false, "cfg( unix )", DependencyKind.Dev),
            new ManifestDependency("alias", "Real", "1.x", null, null, [], Optional: false, DefaultFeatures: true, null, DependencyKind.Normal),
            Dependency("bar", "1")));
        release.Dependencies.Select(Printed).ShouldBe(
        [
            "bar >=1, <2 [b,a] True False cfg( unix ) Dev  ",
            "alias 1.* [] False True  Normal  Real",
            "bar ^1 [] False True  Normal  ",
        ]);
        release.LocalDependencies.ShouldBe(["bar", "Real"]);
    }

    [Theory]
    [InlineData("broken", "\"broken\" is an invalid version requirement")]
    [InlineData("", "\"\" is an invalid version requirement")]
    [InlineData(">=1 <2", "\">=1 <2\" is an invalid version requirement")]
    public void A_requirement_must_parse(string requirement, string expected) => RejectTextOf(With(Dependency("bar", requirement))).ShouldBe(expected);

    [Theory]
    [InlineData("*")]
    [InlineData(" * ")]
    [InlineData("x")]
    [InlineData("X")]
    [InlineData(null)]
    public void A_requirement_must_not_be_the_bare_wildcard(string? requirement) =>
        RejectTextOf(With(Dependency("alias", requirement) with { Package = "bar" })).ShouldBe(
            "wildcard (`*`) dependency constraints are not allowed on this registry. Crate with this problem: `bar` " +
            "See https://doc.rust-lang.org/cargo/faq.html#can-libraries-use--as-a-version-for-their-dependencies for more information");

    [Fact]
    public void There_is_a_limit_of_dependencies_and_it_comes_first()
    {
        var many = Enumerable.Range(0, 3).Select(i => Dependency($"bar{i}", "*")).ToArray();
        RejectTextOf(With(many), new PublishLimits(MaxDependencies: 2)).ShouldBe(
            "this registry only allows a maximum number of 2 dependencies.\n\n" +
            "If you have a use case that requires an increase of this limit, please contact the operators of this registry to discuss the details.");
    }

    [Fact]
    public void The_rules_of_one_dependency_are_checked_in_crates_io_s_order()
    {
        var dependency = new ManifestDependency(
            "💩", "_bar", "broken", "other", OtherIndex, ["~f"], Optional: false, DefaultFeatures: true, null, DependencyKind.Normal);
        RejectTextOf(With(dependency))!.ShouldStartWith("invalid character `_` in dependency name: `_bar`, the first character must be an ASCII character");
        RejectTextOf(With(dependency = dependency with { Package = "bar" }))!.ShouldStartWith("invalid character `~` in feature `~f`");
        RejectTextOf(With(dependency = dependency with { Features = [] })).ShouldBe(
            "Dependency `bar` is hosted on another registry. Cross-registry dependencies are not permitted on this registry.");
        RejectTextOf(With(dependency = dependency with { Registry = null }))!.ShouldStartWith("Dependency `bar` has the registry-index");
        RejectTextOf(With(dependency = dependency with { RegistryIndex = null })).ShouldBe("\"broken\" is an invalid version requirement");
        RejectTextOf(With(dependency = dependency with { Version = "1" })).ShouldBe(
            "invalid character `💩` in dependency name: `💩`, the first character must be an ASCII character, or `_`");
        RejectTextOf(With(dependency with { Key = "_b" })).ShouldBeNull();
    }

    [Theory]
    [InlineData(null, null)]
    [InlineData(null, OwnIndex)]
    [InlineData(null, "sparse+http://127.0.0.1:7878/index")]
    [InlineData(null, "http://127.0.0.1:7878/git/index.git")]
    [InlineData(OwnIndex, null)]
    [InlineData(OwnIndex, OwnGitIndex)]
    [InlineData("", "")]
    public void A_dependency_without_another_registry_is_here(string? claimed, string? stated)
    {
        var release = Accept(With(Dependency("bar") with { RegistryIndex = stated }), Claim("bar", claimed));
        release.LocalDependencies.ShouldBe(["bar"]);
        release.Dependencies[0].Registry.ShouldBeNull();
    }

    [Theory]
    [InlineData(CratesIo, null, CratesIo)]
    [InlineData(CratesIo, CratesIo, CratesIo)]
    [InlineData("https://GitHub.com/Rust-Lang/crates.io-index.git", null, CratesIo)]
    [InlineData(CratesIo + "/", CratesIo, CratesIo)]
    [InlineData(AllowedIndex, AllowedIndex, AllowedIndex)]
    [InlineData("sparse+https://REGISTRY.example:443/index", AllowedIndex, AllowedIndex)]
    public void A_dependency_on_an_allowed_registry_is_recorded_with_it_and_need_not_be_known_here(string claimed, string? stated, string written)
    {
        var release = Accept(With(Dependency("bar") with { RegistryIndex = stated }, Dependency("baz")), Claim("bar", claimed));
        release.LocalDependencies.ShouldBe(["baz"]);
        release.Dependencies.Select(dependency => dependency.Registry).ShouldBe([written, null]);
    }

    [Theory]
    [InlineData(OtherIndex, OtherIndex)]
    [InlineData("https://registry.example/index/", "https://registry.example/index/")]
    public void A_dependency_on_any_other_registry_is_refused(string claimed, string stated) =>
        Decide(With(Dependency("bar") with { RegistryIndex = stated }), null, Claim("bar", claimed)).Reject.ShouldBe(new Reject(
            RejectCodes.InvalidDependency,
            400,
            $"Dependency `bar` is hosted on another registry, `{claimed}`, which this registry does not allow"));

    [Theory]
    [InlineData(null, OtherIndex)]
    [InlineData(null, CratesIo)]
    [InlineData(OwnIndex, AllowedIndex)]
    public void A_manifest_that_places_a_dependency_elsewhere_than_the_request_is_refused(string? claimed, string stated) =>
        RejectTextOf(With(Dependency("bar") with { RegistryIndex = stated }), null, Claim("bar", claimed)).ShouldBe(
            $"Dependency `bar` has the registry-index `{stated}` in `Cargo.toml`, " +
            "which is not an index of this registry, but the publish request says that it is hosted here");

    [Theory]
    [InlineData(AllowedIndex, null, "has no registry-index")]
    [InlineData(AllowedIndex, OwnIndex, $"has the registry-index `{OwnIndex}`")]
    [InlineData(CratesIo, AllowedIndex, $"has the registry-index `{AllowedIndex}`")]
    public void A_manifest_that_places_a_foreign_dependency_elsewhere_is_refused(string claimed, string? stated, string said) =>
        RejectTextOf(With(Dependency("bar") with { RegistryIndex = stated }), null, Claim("bar", claimed)).ShouldBe(
            $"Dependency `bar` {said} in `Cargo.toml`, but the publish request says that it is hosted on `{claimed}`");

    [Fact]
    public void A_claim_belongs_to_the_entry_of_its_key_kind_and_target()
    {
        const string Printed = """cfg(any(unix, target_os = "macos", not(windows)))""";
        const string Written = """cfg( any(unix,target_os="macos", not( windows ),) )""";
        var release = Accept(
            With(
                Dependency("bar"),
                Dependency("bar") with { Kind = DependencyKind.Build },
                Dependency("bar") with { Target = "x86_64-unknown-linux-gnu" },
                Dependency("bar") with { Target = Written },
                Dependency("alias") with { Package = "bar" },
                Dependency("alias") with { Package = "bar", Target = "cfg(r#true)" }),
            Claim("bar", CratesIo) with { Kind = DependencyKind.Build },
            Claim("bar", CratesIo) with { Target = Printed },
            Claim("bar", CratesIo) with { ExplicitName = "alias", Target = "cfg(true)" });
        release.Dependencies.Select(dependency => dependency.Registry is not null).ShouldBe([false, true, false, true, false, true]);
        // The index keeps the manifest's spelling.
        release.Dependencies[3].Target.ShouldBe(Written);
        release.LocalDependencies.ShouldBe(["bar"]);
    }

    [Fact]
    public void A_target_that_is_no_cfg_expression_is_compared_as_it_stands()
    {
        foreach (var target in new[] { "cfg(a b)", "cfg(a+b)", "cfg(\"open)", "cfg(" + new string('(', 100_000) + ")", "windows" })
        {
            var release = Accept(With(Dependency("bar") with { Target = target }), Claim("bar", CratesIo) with { Target = target });
            release.Dependencies[0].Registry.ShouldBe(CratesIo);
        }
    }

    private static Manifest With(params ManifestDependency[] dependencies) => Valid with { Dependencies = dependencies };

    private static string Printed(IndexDependency d) =>
        $"{d.Name} {d.Req} [{string.Join(",", d.Features)}] {d.Optional} {d.DefaultFeatures} {d.Target} {d.Kind} {d.Registry} {d.Package}";
}
