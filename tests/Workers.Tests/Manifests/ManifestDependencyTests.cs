using Pipeline.Contracts;

namespace Pipeline.Workers.Tests.Manifests;

public class ManifestDependencyTests
{
    [Fact]
    public void Dependencies_are_collected_by_table_and_then_by_platform_each_sorted_by_bytes()
    {
        var manifest = ManifestReading.Accepted(
            ManifestReading.Package
            + """
            [target.'cfg(windows)'.build-dependencies]
            wb = "1"
            [target."cfg(unix)".dev-dependencies]
            ud = "1"
            [target."cfg(unix)".build_dependencies]
            ub = "1"
            [target."cfg(unix)".dependencies]
            u = "1"
            [build-dependencies]
            b = "1"
            [dev-dependencies]
            d = "1"
            [dependencies]
            z = "1"
            Z = "1"
            a = "1"
            """);

        manifest.Dependencies.Select(dependency => (dependency.Key, dependency.Kind, dependency.Target)).ShouldBe(
        [
            ("Z", DependencyKind.Normal, null),
            ("a", DependencyKind.Normal, null),
            ("z", DependencyKind.Normal, null),
            ("d", DependencyKind.Dev, null),
            ("b", DependencyKind.Build, null),
            ("u", DependencyKind.Normal, "cfg(unix)"),
            ("ud", DependencyKind.Dev, "cfg(unix)"),
            ("ub", DependencyKind.Build, "cfg(unix)"),
            ("wb", DependencyKind.Build, "cfg(windows)"),
        ]);
    }

    [Fact]
    public void A_dependency_in_detail_is_read_whole()
    {
        var dependency = ManifestReading.Accepted(
            ManifestReading.Package
            + """
            [dependencies.mine]
            version = "> 0"
            package = "theirs"
            registry = "r"
            registry-index = "sparse+https://example.com/index/"
            features = ["b", "a"]
            optional = true
            default-features = false
            path = "p"
            git = "g"
            branch = "b"
            tag = "t"
            rev = "r"
            unknown = 1
            """).Dependencies.ShouldHaveSingleItem();

        (dependency.Key, dependency.Package, dependency.Name, dependency.Version).ShouldBe(("mine", "theirs", "theirs", "> 0"));
        (dependency.Registry, dependency.RegistryIndex).ShouldBe(("r", "sparse+https://example.com/index/"));
        (dependency.Optional, dependency.DefaultFeatures).ShouldBe((true, false));
        dependency.Features.ShouldBe(["b", "a"]);
    }

    [Theory]
    [InlineData("a = '1.0'", "1.0")]
    [InlineData("a = {}", null)]
    [InlineData("a = { version = '1.0' }", "1.0")]
    [InlineData("a = { path = '../a' }", null)]
    [InlineData("a = { workspace = false, version = '1.0' }", "1.0")]
    public void What_a_dependency_does_not_say_has_its_default(string line, string? version)
    {
        var dependency = ManifestReading.Accepted($"{ManifestReading.Package}[dependencies]\n{line}\n").Dependencies.ShouldHaveSingleItem();

        (dependency.Version, dependency.Package, dependency.Registry, dependency.RegistryIndex).ShouldBe((version, null, null, null));
        (dependency.Optional, dependency.DefaultFeatures, dependency.Target).ShouldBe((false, true, null));
        dependency.Features.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("[dev_dependencies]\na = '1'", DependencyKind.Dev)]
    [InlineData("[build_dependencies]\na = '1'", DependencyKind.Build)]
    [InlineData("[dependencies]\na = { default_features = true, registry_index = 'x' }", DependencyKind.Normal)]
    public void Old_names_with_underscores_are_read(string tables, DependencyKind kind) =>
        ManifestReading.Accepted($"{ManifestReading.Package}{tables}\n").Dependencies.ShouldHaveSingleItem().Kind.ShouldBe(kind);

    [Fact]
    public void A_platform_dependency_of_the_workspace_has_no_requirement()
    {
        const string Table = "[target.x.dependencies]\na = { workspace = true, features = ['f'], optional = true, version = 1 }\n";

        var dependency = ManifestReading.Accepted(ManifestReading.Package + Table).Dependencies.ShouldHaveSingleItem();

        (dependency.Version, dependency.Optional, dependency.Target).ShouldBe((null, true, "x"));
        dependency.Features.ShouldBe(["f"]);
    }
}
