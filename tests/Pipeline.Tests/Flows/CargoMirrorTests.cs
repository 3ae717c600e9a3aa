using System.Diagnostics;
using Pipeline.Contracts;
using Pipeline.Contracts.Index;
using Pipeline.Tests.Cargo;
using Pipeline.Tests.Generating;
using Pipeline.Tests.Serving;
using Pipeline.Workers.Tests.Fetching;

namespace Pipeline.Tests.Flows;

/// <summary>Cargo, told to take this registry for crates.io, with an upstream that is a git index and a folder of files.</summary>
public sealed class CargoMirrorTests
{
    private const int Crates = 10;

    [Theory]
    [InlineData("on-demand")]
    [InlineData("full")]
    public async Task A_project_with_ten_dependencies_builds_through_the_mirror_and_then_without_the_upstream(string mode)
    {
        using var folder = new TempFolder();
        await using var files = new FileServer();
        var index = MakeUpstream(folder["upstream"], files);

        // What cargo says without a mirror: the upstream is crates.io.
        using var straight = Replacing(new Uri(index).AbsoluteUri);
        var project = straight.NewPackage("project");
        for (var i = 0; i < Crates; i++) project.DependsOn($"part-{i} = \"1\"");
        (await straight.RunAsync(project.Folder, "build")).ShouldSucceed();
        var wanted = project.Lock;
        wanted.ShouldContain("source = \"registry+https://github.com/rust-lang/crates.io-index\"");
        var taken = files.Asked.Count;

        await using var pipeline = await InProcessPipeline.StartAsync();
        await pipeline.AdminAsync(HttpMethod.Post, "upstreams", new { name = "crates-io", index, mode, every_seconds = 3600 });
        await Deadline.UntilAsync(60, async () => (await UpstreamAsync(pipeline)).GetProperty("crates").GetInt64() == Crates ? null : "not all crates are here");
        await pipeline.SettleAsync();
        if (mode == "full") await KeptAsync(pipeline);
        using (var online = Replacing(pipeline.SparseIndex))
        {
            File.Delete(Path.Combine(project.Folder, "Cargo.lock"));
            (await online.RunAsync(project.Folder, "build")).ShouldSucceed();
            project.Lock.ShouldBe(wanted);
        }

        await KeptAsync(pipeline);
        if (mode == "full") (files.Asked.Count - taken).ShouldBe(Crates);

        // Another machine, and the upstream is gone: its index and its files.
        await files.StopAsync();
        Directory.Delete(folder["upstream"], recursive: true);
        using var offline = Replacing(pipeline.SparseIndex);
        (await offline.RunAsync(project.Folder, "build --locked")).ShouldSucceed();
        File.Delete(Path.Combine(project.Folder, "Cargo.lock"));
        (await offline.RunAsync(project.Folder, "build")).ShouldSucceed();
        project.Lock.ShouldBe(wanted);
        using var byGit = Replacing(pipeline.GitIndex);
        (await byGit.RunAsync(project.Folder, "build --locked")).ShouldSucceed();

        // What their manifests say is found.
        await Deadline.UntilAsync(30, async () => (await pipeline.GetAsync("/api/v1/crates?q=generated"))!.Contains("\"part-7\"", StringComparison.Ordinal) ? null : "search does not find it");
        var shown = (await pipeline.GetAsync("/api/v1/crates/part-7/1.0.0"))!;
        shown.ShouldContain("\"license\":\"MIT\"");
    }

    private static async Task<System.Text.Json.JsonElement> UpstreamAsync(RunningPipeline pipeline) =>
        (await pipeline.AdminAsync(HttpMethod.Get, "upstreams/crates-io")).GetProperty("upstream");

    private static Task KeptAsync(RunningPipeline pipeline) => Deadline.UntilAsync(60, async () =>
    {
        var counts = (await UpstreamAsync(pipeline)).GetProperty("files");
        return counts.GetProperty("kept").GetInt64() == Crates ? null : counts.GetRawText();
    });

    private static CargoHome Replacing(string index)
    {
        var home = new CargoHome(index, null);
        home.Configure($"[source.crates-io]\nreplace-with = \"mirror\"\n[source.mirror]\nregistry = \"{index}\"\n");
        return home;
    }

    /// <summary>Crates that depend on each other in a row, their index in a repository, their files at the server. Returns the repository.</summary>
    private static string MakeUpstream(string folder, FileServer files)
    {
        Directory.CreateDirectory(folder);
        for (var i = 0; i < Crates; i++)
        {
            var name = $"part-{i}";
            var needs = i == 0 ? "" : $"[dependencies.part-{i - 1}]\nversion = \"1\"\n";
            var crate = CrateFile.Pack(
                name, "1.0.0",
                ("Cargo.toml", $"[package]\nname = \"{name}\"\nversion = \"1.0.0\"\nedition = \"2021\"\ndescription = \"A generated part\"\nlicense = \"MIT\"\n{needs}"),
                ("src/lib.rs", $"pub const NUMBER: u32 = {i};\n"));
            var deps = i == 0 ? "" : $$"""{"name":"part-{{i - 1}}","req":"^1","features":[],"optional":false,"default_features":true,"target":null,"kind":"normal"}""";
            var path = Path.Combine(folder, IndexPath.Of(name));
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, $$"""{"name":"{{name}}","vers":"1.0.0","deps":[{{deps}}],"cksum":"{{Checksum.OfContent(crate)}}","features":{},"yanked":false}""" + "\n");
            files.File($"/{name}/1.0.0", crate);
        }

        File.WriteAllText(Path.Combine(folder, "config.json"), $$"""{"dl":"{{files.Dl}}","api":null}""");
        foreach (var arguments in new[] { "init --quiet --initial-branch=master", "add -A", "-c user.name=hand -c user.email=hand@localhost commit --quiet -m first" })
        {
            using var git = Process.Start(new ProcessStartInfo("git", ["-C", folder, .. arguments.Split(' ')]))!;
            git.WaitForExit();
            git.ExitCode.ShouldBe(0);
        }

        return folder;
    }
}
