using Pipeline.Workers.Manifests;

namespace Pipeline.Workers.Tests.Manifests;

public class TargetInferenceTests
{
    private const string NoLibrary =
        "failed to parse `Cargo.toml` manifest file\n\ncan't find library, rename file to `src/lib.rs` or specify lib.path";

    [Theory]
    [InlineData("", "src/lib.rs", "foo_bar")]
    [InlineData("", "src//./lib.rs", "foo_bar")]
    [InlineData("", "src/lib.rs/x", "foo_bar")]
    [InlineData("", "src/main.rs", null)]
    [InlineData("", "lib.rs src/x/lib.rs src src/", null)]
    [InlineData("", "src/foo-bar.rs", null)]
    [InlineData("autolib = false", "src/lib.rs", null)]
    [InlineData("autolib = true", "src/lib.rs", "foo_bar")]
    [InlineData("autolib = false\n[lib]", "src/lib.rs", "foo_bar")]
    [InlineData("edition = '2021'\n[lib]\nname = 'my-lib'", "src/lib.rs", "my-lib")]
    [InlineData("edition = '2021'\n[lib]\npath = 'nowhere.rs'", "", "foo_bar")]
    [InlineData("[lib]", "src/foo-bar.rs", "foo_bar")]
    [InlineData("[lib]\nname = 'l'", "src/l.rs", "l")]
    [InlineData("edition = '2015'\n[lib]\nname = 'l'", "src/l.rs", "l")]
    public void The_library_is_found_by_table_edition_and_file(string package, string files, string? name)
    {
        var targets = Inferred(package, files);

        (targets.HasLib, targets.LibName).ShouldBe((name is not null, name));
    }

    [Theory]
    [InlineData("[lib]", "src/main.rs")]
    [InlineData("[lib]", "src/foo_bar.rs")]
    [InlineData("[lib]\nname = 'l'", "src/foo-bar.rs")]
    [InlineData("edition = '2018'\n[lib]", "src/foo-bar.rs")]
    [InlineData("edition = '2018'\n[lib]\nname = 'l'", "src/l.rs")]
    public void A_lib_table_needs_its_file(string package, string files)
    {
        TargetInference.TryInfer(Manifest(package), files.Split(' '), out _, out var reject).ShouldBeFalse();
        (reject!.Code, reject.Status, reject.Text).ShouldBe(("invalid-manifest", 400, NoLibrary));
    }

    [Theory]
    [InlineData("", "", "")]
    [InlineData("", "src/main.rs", "foo-bar")]
    [InlineData("", "src/main.rs src/bin/b.rs src/bin/a/main.rs src/bin/a/other.rs src/bin/B.rs", "B a b foo-bar")]
    [InlineData("", "src/bin/x.rs src/bin/x/main.rs src/bin/x.rs", "x x")]
    [InlineData("", "src/bin/notes.txt src/bin/deep/er/main.rs src/bin/dir/", "")]
    [InlineData("autobins = false", "src/main.rs src/bin/b.rs", "")]
    [InlineData("[[bin]]\nname = 'c'", "src/main.rs src/bin/b.rs", "c")]
    [InlineData("edition = '2015'\n[[bin]]\nname = 'c'", "src/main.rs src/bin/b.rs", "c")]
    [InlineData("autobins = true\n[[bin]]\nname = 'c'", "src/main.rs src/bin/b.rs", "c b foo-bar")]
    [InlineData("edition = '2021'\n[[bin]]\nname = 'b'", "src/main.rs src/bin/b.rs src/bin/a.rs", "b a foo-bar")]
    [InlineData("edition = '2021'\n[[bin]]\nname = 'foo-bar'", "src/main.rs", "foo-bar")]
    [InlineData("edition = '2021'\n[[bin]]\nname = 'tool'\npath = 'src/main.rs'", "src/main.rs", "tool")]
    [InlineData("edition = '2021'\n[[bin]]\nname = 'b'\npath = 'elsewhere.rs'", "src/bin/b.rs", "b b")]
    [InlineData("edition = '2021'\n[[bin]]\npath = 'src/bin/b.rs'", "src/bin/b.rs", "")]
    [InlineData("edition = '2024'\nautobins = false\n[[bin]]\nname = 'z'\n[[bin]]\nname = 'a'", "src/main.rs", "z a")]
    public void Binaries_are_the_declared_ones_and_then_the_found_ones(string package, string files, string names) =>
        Inferred(package, files).BinNames.ShouldBe(names.Split(' ', StringSplitOptions.RemoveEmptyEntries));

    [Fact]
    public void Found_binaries_are_sorted_by_bytes() =>
        Inferred("", "src/bin/\U0001F980.rs src/bin/\uFFFD.rs src/bin/z.rs").BinNames.ShouldBe(["z", "\uFFFD", "\U0001F980"]);

    private static InferredTargets Inferred(string package, string files)
    {
        TargetInference.TryInfer(Manifest(package), files.Split(' '), out var targets, out var reject).ShouldBeTrue(reject?.Text);
        return targets!;
    }

    private static Manifest Manifest(string package) => ManifestReading.Accepted($"[package]\nname = 'foo-bar'\nversion = '1.0.0'\n{package}\n");
}
