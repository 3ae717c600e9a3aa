using System.Formats.Tar;
using System.IO.Compression;
using System.Text.Json;
using Pipeline.Contracts.Index;
using Pipeline.Tests.Generating;
using Pipeline.Tests.Serving;

namespace Pipeline.Tests.Upgrades;

/// <summary>
/// A data folder that an older build has left. `data-of-e5345fe.tar.gz` was made by the build of that commit: the user ferris published five
/// versions of three crates and yanked one; then, while no worker ran, three more uploads were parked. Their deadlines were set to the year 2100.
/// </summary>
public sealed class UpgradeTests
{
    [Fact]
    public async Task What_was_published_is_served_as_it_was_and_what_was_parked_is_decided()
    {
        await using var pipeline = await PipelineProcess.StartAsync(static data => Unpack("data-of-e5345fe.tar.gz", data));
        await pipeline.SettleAsync();

        var lines = (await pipeline.IndexLinesAsync("older")).ShouldNotBeNull();
        lines.Select(static line => JsonDocument.Parse(line).RootElement).Select(static entry => $"{entry.GetProperty("vers")} {entry.GetProperty("yanked")}")
            .ShouldBe(["1.0.0 True", "1.1.0 False", "2.0.0-beta.1 False", "1.2.0 False"]);
        foreach (var name in new[] { "other_one", "bad", "parked", "parked-too" }) (await pipeline.IndexLinesAsync(name)).ShouldNotBeNull(name).Length.ShouldBe(1, name);
        (await pipeline.Http.GetByteArrayAsync(new Uri("/crates/older/older-1.2.0.crate", UriKind.Relative))).ShouldNotBeEmpty();
        Directory.EnumerateFiles(Path.Combine(pipeline.Data, "objects", "staging")).ShouldBeEmpty();

        var user = await pipeline.AddUserAsync();
        (await pipeline.PublishAsync(CrateFile.Body("newer", "1.0.0", CrateFile.Plain("newer", "1.0.0")), user.Token)).ShouldBeAccepted();
        (await pipeline.PublishAsync(CrateFile.Body("older", "3.0.0", CrateFile.Plain("older", "3.0.0")), user.Token)).IsAccepted.ShouldBeFalse("its owner is another");
        await pipeline.SettleAsync();
        var (exit, output, error) = await PipelineProgram.RunAsync(pipeline, "reconcile", "--json");
        exit.ShouldBe(0, output + error);
        JsonDocument.Parse(output).RootElement.GetProperty("clean").GetBoolean().ShouldBeTrue(output);
    }

    [Fact]
    public async Task An_index_file_that_nothing_has_changed_keeps_its_bytes()
    {
        var before = "";
        await using var pipeline = await PipelineProcess.StartAsync(data =>
        {
            Unpack("data-of-e5345fe.tar.gz", data);
            before = File.ReadAllText(FileOf(data));
        });
        await pipeline.SettleAsync();
        (await PipelineProgram.RunAsync(pipeline, "rebuild", "sparse")).ExitCode.ShouldBe(0);
        await pipeline.SettleAsync();

        (await File.ReadAllTextAsync(FileOf(pipeline.Data), TestContext.Current.CancellationToken)).ShouldBe(before);

        static string FileOf(string data) => Path.Combine(data, "objects", "index", IndexPath.Of("other_one"));
    }

    private static void Unpack(string archive, string folder)
    {
        Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        using var file = File.OpenRead(RepositoryFiles.InRepository($"tests/Pipeline.Tests/Upgrades/{archive}"));
        using var unpacked = new GZipStream(file, CompressionMode.Decompress);
        TarFile.ExtractToDirectory(unpacked, folder, overwriteFiles: true);
    }
}
