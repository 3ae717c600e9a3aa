using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Pipeline.Workers.Manifests;

namespace Pipeline.Workers.Tests.Manifests;

public class ManifestHostileInputTests
{
    private static readonly string[] Lines =
    [
        "[package]", "name = \"foo\"", "version = \"1.0.0\"", "edition = \"2021\"", "license.workspace = true", "keywords = [\"a\"]",
        "[dependencies]", "a = \"1\"", "b = { version = \"1\", features = [\"x\"], default_features = false }", "[dependencies.c]", "optional = true",
        "[dev_dependencies]", "[target.\"cfg(unix)\".dependencies]", "[target.x]", "[features]", "default = [\"a\"]", "[lib]", "path = \"a.rs\"",
        "[[bin]]", "[[test]]", "[patch.crates-io]", "[project]", "x = 1", "x = []", "x = {}", "package.name = 1", "bin = 1", "\"", "[",
    ];

    [Fact]
    public void Shuffled_lines_of_manifests_are_accepted_or_refused_but_never_throw() =>
        Prop.ForAll(Arb.From(Gen.Elements(Lines).ArrayOf()), lines => AcceptsOrRefuses(string.Join('\n', lines)))
            .Check(Config.QuickThrowOnFailure.WithMaxTest(5000));

    [Fact]
    public void Mutated_manifests_are_accepted_or_refused_but_never_throw()
    {
        var valid = string.Join('\n', Lines[..4]) + "\n" + string.Join('\n', Lines[6..20]);
        var edits =
            from at in Gen.Choose(0, valid.Length)
            from removed in Gen.Choose(0, 8)
            from inserted in Gen.Elements("", "[", "]", "=", "1", "{}", "\"", "\n", ".", "true", "workspace = true", "\u0000", "é")
            select valid[..at] + inserted + valid[Math.Min(at + removed, valid.Length)..];

        AcceptsOrRefuses(valid).ShouldBeTrue();
        Prop.ForAll(Arb.From(edits), AcceptsOrRefuses).Check(Config.QuickThrowOnFailure.WithMaxTest(3000));
    }

    [Fact]
    public void Many_dependencies_and_targets_are_read_in_time_that_grows_with_their_number()
    {
        const int Many = 50_000;
        var toml = new StringBuilder(ManifestReading.Package);
        for (var number = 0; number < Many; number++)
            toml.Append($"[[bin]]\nname = 'b{number}'\n[dependencies.d{number}]\nversion = '1'\n[target.t{number}.dependencies]\nd = '1'\n");
        var files = Enumerable.Range(0, Many).Select(number => $"src/bin/b{Many - number}.rs").ToArray();

        var manifest = ManifestReading.Accepted(toml.ToString());
        TargetInference.TryInfer(manifest, files, out var targets, out _).ShouldBeTrue();

        manifest.Dependencies.Count.ShouldBe(2 * Many);
        targets!.BinNames.Count.ShouldBe(Many);
    }

    private static bool AcceptsOrRefuses(string toml)
    {
        if (!ManifestReader.TryRead(toml, out var manifest, out var reject))
            return manifest is null && reject!.Text.Length is > 50 and < 4000;
        return reject is null && (TargetInference.TryInfer(manifest!, ["src/main.rs"], out var targets, out reject) ? targets is not null : reject is not null);
    }
}
