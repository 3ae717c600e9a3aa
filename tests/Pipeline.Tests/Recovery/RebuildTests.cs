using System.Text.Json;
using Pipeline.Tests.Generating;
using Pipeline.Tests.Serving;

namespace Pipeline.Tests.Recovery;

/// <summary>Rebuilds and reconcile of a whole process, by the command line, killed on the way and beside publishing that goes on.</summary>
public sealed class RebuildTests
{
    [Fact]
    public async Task Killed_at_each_moment_of_a_rebuild_the_next_start_ends_it_with_the_same_bytes_while_publishing_goes_on()
    {
        await using var pipeline = await PipelineProcess.StartAsync();
        var user = await pipeline.AddUserAsync();
        for (var i = 0; i < 5; i++) await PublishAsync(pipeline, user, $"before-{i}");
        await pipeline.SettleAsync();
        foreach (var kind in new[] { "sparse", "git" })
        {
            foreach (var point in new[] { "rebuild.filled", "rebuild.swapping", "rebuild.swapped" })
            {
                var (sparse, files) = (Sparse(pipeline), await FilesAsync(pipeline));
                await pipeline.KillAsync();
                await pipeline.StartAgainAsync([("PIPELINE_DIE_AT", point)]);
                Damage(pipeline, kind);
                var (exit, _, error) = await PipelineProgram.RunAsync(pipeline, "rebuild", kind);
                // In place, the git index is not written to when it stands as it should: then nothing is swapped, and nobody dies.
                if (exit != 0) (await pipeline.ExitAsync()).ShouldNotBe(0, $"{point}: {error}");
                else await pipeline.KillAsync();

                await pipeline.StartAgainAsync();
                await PublishAsync(pipeline, user, $"during-{kind}-{point.Replace('.', '-')}");
                await UntilRebuiltAsync(pipeline);
                await pipeline.SettleAsync();

                foreach (var (path, content) in sparse) Sparse(pipeline)[path].ShouldBe(content, $"{kind} {point} {path}");
                // The old tree itself may be in no commit of the new index: what was published meanwhile can be in its first one.
                (await FilesAsync(pipeline)).Intersect(files).ShouldBe(files, ignoreOrder: true, customMessage: $"{kind} {point}");
                (await pipeline.IndexLinesAsync($"during-{kind}-{point.Replace('.', '-')}")).ShouldNotBeNull(point);
            }
        }

        await ShouldBeCleanAsync(pipeline);
        (await pipeline.GitAsync("fsck", "--strict", "--no-dangling")).ShouldBeEmpty();
    }

    [Fact]
    public async Task Into_a_folder_come_the_same_bytes_and_the_same_tree_and_a_damaged_index_is_found_and_mended()
    {
        await using var pipeline = await PipelineProcess.StartAsync();
        var user = await pipeline.AddUserAsync();
        for (var i = 0; i < 3; i++) await PublishAsync(pipeline, user, $"some-{i}");
        await pipeline.SettleAsync();
        var sparse = Sparse(pipeline);

        var (exit, output, error) = await PipelineProgram.RunAsync(pipeline, "rebuild", "git", "--to", Path.Combine(pipeline.Data, "copy.git"), "--json");
        exit.ShouldBe(0, error);
        JsonDocument.Parse(output).RootElement.GetProperty("result").GetString()!.ShouldContain((await pipeline.GitAsync("rev-parse", "master^{tree}")).Trim());
        (exit, _, error) = await PipelineProgram.RunAsync(pipeline, "rebuild", "sparse", "--to", Path.Combine(pipeline.Data, "copy"));
        exit.ShouldBe(0, error);
        foreach (var (path, content) in sparse) (await File.ReadAllTextAsync(Path.Combine(pipeline.Data, "copy", path))).ShouldBe(content);
        (exit, _, error) = await PipelineProgram.RunAsync(pipeline, "rebuild", "sparse", "--to", Path.Combine(pipeline.Data, "copy"));
        exit.ShouldBe(1);
        error.ShouldContain("is not empty");

        Damage(pipeline, "sparse");
        (exit, output, _) = await PipelineProgram.RunAsync(pipeline, "reconcile");
        exit.ShouldBe(1);
        output.ShouldContain("missing-in-index");
        (exit, output, error) = await PipelineProgram.RunAsync(pipeline, "reconcile", "--repair");
        exit.ShouldBe(0, output + error);
        await ShouldBeCleanAsync(pipeline);
        Sparse(pipeline).ShouldBe(sparse);
    }

    private static async Task PublishAsync(PipelineProcess pipeline, Account user, string name) =>
        (await pipeline.PublishAsync(CrateFile.Body(name, "1.0.0", CrateFile.Plain(name, "1.0.0")), user.Token)).ShouldBeAccepted();

    private static void Damage(PipelineProcess pipeline, string kind)
    {
        if (kind == "sparse") File.Delete(Path.Combine(pipeline.Data, "objects", "index", Sparse(pipeline).Keys.First()));
        else Directory.Delete(pipeline.Repository, recursive: true);
    }

    private static async Task<string[]> FilesAsync(PipelineProcess pipeline) =>
        (await pipeline.GitAsync("ls-tree", "-r", "--name-only", "master")).Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private static Task UntilRebuiltAsync(PipelineProcess pipeline) => Deadline.UntilAsync(60, async () =>
    {
        var newest = (await pipeline.AdminAsync(HttpMethod.Get, "rebuilds?limit=1")).GetProperty("rebuilds").EnumerateArray().First();
        newest.GetProperty("state").GetString().ShouldNotBe("failed", newest.GetRawText());
        return newest.GetProperty("state").GetString() == "done" ? null : newest.GetRawText();
    });

    // What is still in flight is not judged, and a run that left something out is not clean: it is asked again.
    private static Task ShouldBeCleanAsync(PipelineProcess pipeline) => Deadline.UntilAsync(60, async () =>
    {
        var (exit, output, error) = await PipelineProgram.RunAsync(pipeline, "reconcile", "--json");
        exit.ShouldBe(0, output + error);
        var run = JsonDocument.Parse(output).RootElement;
        if (run.GetProperty("in_flight").GetInt64() > 0) return output;
        run.GetProperty("clean").GetBoolean().ShouldBeTrue(output);
        return null;
    });

    private static Dictionary<string, string> Sparse(PipelineProcess pipeline)
    {
        var root = Path.Combine(pipeline.Data, "objects", "index");
        return Directory.GetFiles(root, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal).ToDictionary(file => Path.GetRelativePath(root, file), File.ReadAllText);
    }
}
