using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Pipeline.Cli.Importing;

namespace Pipeline.Cli.Tests.Importing;

public sealed class PublishJsonTests : IDisposable
{
    private const string Here = "sparse+http://127.0.0.1:7878/index/";

    private const string Everything = """
        [package]
        edition = "2021"
        name = "every-thing"
        version = "1.2.3-beta.1+build.7"
        authors = ["Ünï Cöde <u@example.com>", "\"Quoted\" \\ back"]
        description = "tab\there, line\nbreak, nul-free \u007f and \u2028 and 😀"
        homepage = "https://example.com/h"
        documentation = "https://example.com/d"
        readme = "docs/READ ME.md"
        keywords = ["b", "a"]
        categories = ["no-std"]
        license = "MIT"
        license-file = "LICENSE"
        repository = "https://example.com/r"
        rust-version = "1.70.0"
        links = "native"
        build = "build.rs"

        [badges.maintenance]
        status = "actively-developed"

        [badges.appveyor]
        repository = "x/y"
        branch = "main"

        [features]
        std = []
        default = ["std", "dep:opt", "renamed?/feat"]
        "Ünicode" = []
        a-b = ["std"]

        [dependencies]
        plain = "1.0"
        Upper = "= 1.0.0"
        star = "*"
        wild = "1.2.*"
        range = ">1.0 , <= 2.9"
        pre = "1.2.3-alpha.1+zz"
        nothing = {}

        [dependencies.renamed]
        version = "~1.2"
        package = "real-name"
        features = ["x", "y"]
        default-features = false

        [dependencies.same]
        version = "1"
        package = "same"

        [dependencies.opt]
        version = "0.1"
        optional = true

        [dependencies.ours]
        version = "1"
        registry-index = "sparse+http://127.0.0.1:7878/index/"

        [dependencies.theirs]
        version = "1"
        registry-index = "sparse+https://other.example.com/index/"

        [dependencies.git-theirs]
        version = "1"
        registry-index = "https://other.example.com/index.git"

        [dev-dependencies.kept]
        version = "1"

        [dev-dependencies.dropped]
        path = "../dropped"

        [build-dependencies.cc]
        version = "1"

        [target.'cfg( any(unix,target_os="macos", not( windows ),) )'.dependencies.libc]
        version = "0.2"

        [target.'cfg(windows)'.dev-dependencies.w-dev]
        version = "1"

        [target.'cfg(windows)'.build-dependencies.w-build]
        version = "1"

        [target.'cfg(windows)'.dependencies.w-normal]
        version = "1"

        [target.x86_64-unknown-linux-gnu.dependencies]
        triple = "1"
        """;

    private const string Old = """
        [project]
        name = "old_style"
        version = "0.1.0"
        readme = false

        [dependencies.a]
        version = "1"
        default_features = false

        [dev_dependencies]
        b = "1"

        [build_dependencies]
        c = "1"
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("cli-test-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    public static TheoryData<string, string> RealCrates()
    {
        var data = new TheoryData<string, string>();
        foreach (var file in RepositoryFiles.Crates())
        {
            data.Add(file, "crates-io");
            data.Add(file, Here);
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(RealCrates))]
    public void Real_crates_give_the_members_that_cargo_sends(string file, string index) => ShouldBeAsCargoSends(file, index);

    [Theory]
    [InlineData("crates-io")]
    [InlineData(Here)]
    [InlineData("sparse+http://127.0.0.1:7878/index")]
    [InlineData("https://other.example.com/index")]
    public void Every_kind_of_dependency_and_member_is_as_cargo_sends_it(string index)
    {
        var crate = CrateBuilder.Build("every-thing-1.2.3-beta.1+build.7", Everything, ("docs/READ ME.md", "# Ünï\n\"q\"\r\n"), ("LICENSE", "MIT"), ("README.md", "not this one"));
        ShouldBeAsCargoSends(Save("every-thing-1.2.3-beta.1+build.7.crate", crate), index);
    }

    [Fact]
    public void Old_manifests_are_read() =>
        ShouldBeAsCargoSends(Save("old_style-0.1.0.crate", CrateBuilder.Build("old_style-0.1.0", Old, ("README.md", "ignored"))), "crates-io");

    [Theory]
    [InlineData("README.md")]
    [InlineData("README.txt")]
    [InlineData("README")]
    public void A_readme_is_found_without_being_named(string name)
    {
        var crate = CrateBuilder.Build("a-1.0.0", "[package]\nname = \"a\"\nversion = \"1.0.0\"\n", (name, "text"));
        ShouldBeAsCargoSends(Save("a-1.0.0.crate", crate), "crates-io");
        using var json = JsonDocument.Parse(PublishJson.Derive("a-1.0.0.crate", crate, new RegistryOfCrates("crates-io")).Json);
        json.RootElement.GetProperty("readme_file").GetString().ShouldBe(name);
    }

    [Theory]
    [InlineData("my-crate-1.0.0.crate", "my-crate", "1.0.0")]
    [InlineData("a-2-1.0.0-beta-1.crate", "a-2", "1.0.0-beta-1")]
    [InlineData("a-1.0.0+b.c.crate", "a", "1.0.0+b.c")]
    public void An_archive_that_cannot_be_read_is_sent_by_its_file_name_so_that_the_registry_says_why(string file, string name, string version)
    {
        var json = PublishJson.Derive(file, [1, 2, 3], new RegistryOfCrates("crates-io"));
        (json.Name, json.Version, json.Dependencies.Count).ShouldBe((name, version, 0));
        Encoding.UTF8.GetString(json.Json).ShouldBe($$"""{"name":"{{name}}","vers":"{{version}}"}""");
    }

    [Theory]
    [InlineData("notes.crate")]
    [InlineData("a-b.crate")]
    public void A_file_that_says_nothing_is_refused(string file) =>
        Should.Throw<InvalidDataException>(() => PublishJson.Derive(file, [], new RegistryOfCrates("crates-io")));

    [Fact]
    public void A_crate_made_for_another_registry_is_imported_with_its_dependencies_here()
    {
        var crate = CrateBuilder.Library("a", "1.0.0", "serde");
        RegistriesOf(crate, new RegistryOfCrates("crates-io")).ShouldBe([null]);
        RegistriesOf(crate, RegistryOfCrates.At("http://127.0.0.1:7878")).ShouldBe(["https://github.com/rust-lang/crates.io-index"]);
    }

    private static IEnumerable<string?> RegistriesOf(byte[] crate, RegistryOfCrates registry) =>
        PublishJson.Derive("a-1.0.0.crate", crate, registry).Dependencies.Select(dependency => dependency.Registry);

    private static void ShouldBeAsCargoSends(string file, string index)
    {
        var ours = PublishJson.Derive(Path.GetFileName(file), File.ReadAllBytes(file), new RegistryOfCrates(index)).Json;
        Normal(ours).ShouldBe(Normal(RunReference(file, index)));
    }

    /// <summary>The JSON with members in the order sent, whatever way characters are escaped.</summary>
    private static string Normal(byte[] json)
    {
        using var document = JsonDocument.Parse(json);
        return JsonSerializer.Serialize(document.RootElement);
    }

    private static byte[] RunReference(string file, string index)
    {
        var start = new ProcessStartInfo("python3", [RepositoryFiles.Shared("acceptance/cargo_publish_like.py"), file, "--index", index, "--json"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        using var output = new MemoryStream();
        var errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        process.StandardOutput.BaseStream.CopyTo(output);
        process.WaitForExit();
        process.ExitCode.ShouldBe(0, errors.GetAwaiter().GetResult());
        return output.ToArray();
    }

    private string Save(string name, byte[] crate)
    {
        var file = Path.Combine(_folder, name);
        File.WriteAllBytes(file, crate);
        return file;
    }
}
