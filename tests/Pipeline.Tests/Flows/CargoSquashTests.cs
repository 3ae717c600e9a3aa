using Pipeline.Tests.Cargo;
using Pipeline.Tests.Generating;
using Pipeline.Tests.Serving;

namespace Pipeline.Tests.Flows;

/// <summary>Cargo over the git index, across a squash of it.</summary>
public sealed class CargoSquashTests
{
    [Theory]
    [InlineData("false")]
    [InlineData("true")]
    public async Task Who_knew_the_index_before_a_squash_updates_after_it(string withGitProgram)
    {
        await using var pipeline = await InProcessPipeline.StartAsync();
        var user = await pipeline.AddUserAsync();
        foreach (var version in new[] { "1.0.0", "1.1.0" }) await PublishAsync(pipeline, user, "leaf", version);
        using var cargo = new CargoHome(pipeline.GitIndex, null).With("CARGO_NET_GIT_FETCH_WITH_CLI", withGitProgram);
        var project = cargo.NewPackage("project").DependsOn("leaf = { version = \"1\", registry = \"local\" }");
        (await cargo.RunAsync(project.Folder, "build")).ShouldSucceed();
        project.Lock.ShouldContain("name = \"leaf\"\nversion = \"1.1.0\"");
        var tree = await pipeline.GitAsync("rev-parse", "HEAD^{tree}");

        var (exit, said, error) = await PipelineProgram.RunAsync(pipeline, "squash");

        exit.ShouldBe(0, error);
        said.ShouldStartWith("squashed into ");
        (await pipeline.GitAsync("rev-list", "--count", "HEAD")).Trim().ShouldBe("1");
        (await pipeline.GitAsync("rev-parse", "HEAD^{tree}")).ShouldBe(tree);
        // The same home and lock, before anything new is there and after.
        (await cargo.RunAsync(project.Folder, "update")).ShouldSucceed();
        project.Lock.ShouldContain("name = \"leaf\"\nversion = \"1.1.0\"");
        await PublishAsync(pipeline, user, "leaf", "1.2.0");
        await PublishAsync(pipeline, user, "second", "0.1.0");
        (await cargo.RunAsync(project.Folder, "update")).ShouldSucceed();
        project.Lock.ShouldContain("name = \"leaf\"\nversion = \"1.2.0\"");
        (await cargo.RunAsync(project.Folder, "add second --registry local")).ShouldSucceed();
        (await cargo.RunAsync(project.Folder, "build")).ShouldSucceed();
        project.Lock.ShouldContain("name = \"second\"");

        // Somebody new, and a second squash, of what came since.
        (await PipelineProgram.RunAsync(pipeline, "squash")).ExitCode.ShouldBe(0);
        using var other = new CargoHome(pipeline.GitIndex, null).With("CARGO_NET_GIT_FETCH_WITH_CLI", withGitProgram);
        (await other.RunAsync(project.Folder, "build --locked")).ShouldSucceed();
        (await cargo.RunAsync(project.Folder, "update")).ShouldSucceed();
        (await PipelineProgram.RunAsync(pipeline, "squash")).Output.Trim().ShouldBe("there was nothing to squash");
    }

    private static async Task PublishAsync(RunningPipeline pipeline, Account user, string name, string version)
    {
        (await pipeline.PublishAsync(CrateFile.Body(name, version, CrateFile.Plain(name, version)), user.Token)).ShouldBeAccepted();
        await pipeline.SettleAsync(name);
    }
}
