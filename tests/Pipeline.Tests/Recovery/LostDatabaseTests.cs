using System.Net;
using Pipeline.Tests.Generating;
using Pipeline.Tests.Serving;

namespace Pipeline.Tests.Recovery;

/// <summary>The standalone registry loses its database file, or gets back an older one, and <c>pipeline recover</c> is run as an operator would.</summary>
public sealed class LostDatabaseTests
{
    [Fact]
    public async Task After_a_lost_database_everything_accepted_is_there_and_no_number_is_given_twice()
    {
        await using var pipeline = await PipelineProcess.StartAsync();
        var user = await pipeline.AddUserAsync("ann");
        var file = await FillAsync(pipeline, user);
        var (tree, lines) = (await pipeline.GitAsync("rev-parse", "HEAD^{tree}"), await pipeline.IndexLinesAsync("kept"));
        await pipeline.KillAsync();
        foreach (var path in Directory.GetFiles(pipeline.Data, "registry.sqlite*")) File.Delete(path);

        await ShouldComeBackAsync(pipeline, file, tree, lines!, versions: 3, "reconcile", "--repair");
    }

    [Fact]
    public async Task An_older_backup_is_brought_up_to_the_store_and_the_index()
    {
        await using var pipeline = await PipelineProcess.StartAsync();
        var user = await pipeline.AddUserAsync("ann");
        await PublishAsync(pipeline, user, "kept", "1.0.0");
        await pipeline.SettleAsync();
        await pipeline.KillAsync();
        var backup = Directory.CreateTempSubdirectory("backup-").FullName;
        foreach (var path in Directory.GetFiles(pipeline.Data, "registry.sqlite*")) File.Copy(path, Path.Combine(backup, Path.GetFileName(path)));
        await pipeline.StartAgainAsync();
        var file = await FillAsync(pipeline, user, began: true);
        var (tree, lines) = (await pipeline.GitAsync("rev-parse", "HEAD^{tree}"), await pipeline.IndexLinesAsync("kept"));
        await pipeline.KillAsync();
        foreach (var path in Directory.GetFiles(pipeline.Data, "registry.sqlite*")) File.Delete(path);
        foreach (var path in Directory.GetFiles(backup)) File.Copy(path, Path.Combine(pipeline.Data, Path.GetFileName(path)));
        Directory.Delete(backup, recursive: true);

        await ShouldComeBackAsync(pipeline, file, tree, lines!, versions: 2, "read-only", "end", "--yes");
    }

    [Fact]
    public async Task A_running_registry_is_not_recovered_under_its_feet()
    {
        await using var pipeline = await PipelineProcess.StartAsync();

        var (exit, _, error) = await PipelineProgram.RunAsync(pipeline, "recover");

        exit.ShouldBe(1);
        error.ShouldContain("is in use by another process");
    }

    private static async Task ShouldComeBackAsync(PipelineProcess pipeline, byte[] file, string tree, string[] lines, int versions, params string[] ending)
    {
        var (exit, said, error) = await PipelineProgram.RunAsync(pipeline, "recover");

        exit.ShouldBe(0, error);
        said.ShouldContain($"versions restored   {versions}");
        await pipeline.StartAgainAsync();
        await ShouldServeReadOnlyAsync(pipeline, file, lines);
        await pipeline.SettleAsync();
        // Nothing was rendered otherwise than it stood there: no commit came, and no file changed.
        (await pipeline.GitAsync("rev-parse", "HEAD^{tree}")).ShouldBe(tree);
        (await pipeline.IndexLinesAsync("kept")).ShouldBe(lines);
        (exit, said, error) = await PipelineProgram.RunAsync(pipeline, ending);
        exit.ShouldBe(0, said + error);
        // What reconcile found nothing wrong with takes writes again by itself.
        await Deadline.UntilAsync(60, async () => (await pipeline.AdminAsync(HttpMethod.Get, "read-only")).GetProperty("read_only").GetBoolean() ? "writes" : null);
        await ShouldGoOnAsync(pipeline);
    }

    /// <summary>kept 1.0.0 and 1.1.0, the latter yanked; gone 1.0.0, deleted. Returns the bytes of kept 1.1.0.</summary>
    private static async Task<byte[]> FillAsync(PipelineProcess pipeline, Account user, bool began = false)
    {
        if (!began) await PublishAsync(pipeline, user, "kept", "1.0.0");
        var file = await PublishAsync(pipeline, user, "kept", "1.1.0");
        await PublishAsync(pipeline, user, "gone", "1.0.0");
        (await pipeline.AdminAsync(HttpMethod.Put, "crates/kept/1.1.0/yank")).GetProperty("yanked").GetBoolean().ShouldBeTrue();
        await pipeline.AdminAsync(HttpMethod.Delete, "crates/gone");
        await pipeline.SettleAsync();
        return file;
    }

    private static async Task<byte[]> PublishAsync(PipelineProcess pipeline, Account user, string name, string version)
    {
        var file = CrateFile.Plain(name, version);
        (await pipeline.PublishAsync(CrateFile.Body(name, version, file), user.Token)).ShouldBeAccepted();
        return file;
    }

    private static async Task ShouldServeReadOnlyAsync(PipelineProcess pipeline, byte[] file, string[] lines)
    {
        (await pipeline.IndexLinesAsync("kept")).ShouldBe(lines);
        lines.Select(static line => line.Contains("\"yanked\":true", StringComparison.Ordinal)).ShouldBe([false, true]);
        (await pipeline.DownloadAsync("kept", "1.1.0")).ShouldBe(file);
        var state = await pipeline.AdminAsync(HttpMethod.Get, "read-only");
        state.GetProperty("read_only").GetBoolean().ShouldBeTrue();

        // Tokens are nowhere but in the database: the administrator makes a new one.
        var refused = await pipeline.PublishAsync(CrateFile.Body("new", "1.0.0", CrateFile.Plain("new", "1.0.0")), pipeline.Admin.Token);
        refused.Status.ShouldBe(HttpStatusCode.ServiceUnavailable);
        refused.Text.ShouldContain("read-only until it has been reconciled");
    }

    private static async Task ShouldGoOnAsync(PipelineProcess pipeline)
    {
        var owners = (await pipeline.AdminAsync(HttpMethod.Get, "crates/kept")).GetProperty("crate").GetProperty("owners").EnumerateArray().Select(static owner => owner.GetString());
        owners.ShouldBe(["ann"]);
        foreach (var (name, version, code) in new[] { ("kept", "1.0.0", "already uploaded"), ("kept", "1.1.0", "already uploaded"), ("gone", "1.0.0", "recently deleted") })
        {
            var other = CrateFile.Plain(name, version, "pub fn other() {}");
            var reply = await pipeline.PublishAsync(CrateFile.Body(name, version, other), await TokenAsync(pipeline));
            ((int)reply.Status).ShouldBe(400, reply.Text);
            reply.Text.ShouldContain(code);
        }

        (await pipeline.PublishAsync(CrateFile.Body("kept", "2.0.0", CrateFile.Plain("kept", "2.0.0")), await TokenAsync(pipeline))).ShouldBeAccepted();
        await pipeline.SettleAsync();
        (await pipeline.IndexLinesAsync("kept"))!.Length.ShouldBe(3);
        await pipeline.GitAsync("fsck", "--full", "--strict");
    }

    private static async Task<string> TokenAsync(PipelineProcess pipeline)
    {
        await pipeline.AdminAsync(HttpMethod.Put, "users/ann/email", new { email = "ann@example.com" });
        var answer = await pipeline.AdminAsync(HttpMethod.Post, "tokens", new { user = "ann", name = $"after-{Guid.NewGuid():n}" });
        return answer.GetProperty("plaintext").GetString()!;
    }
}
