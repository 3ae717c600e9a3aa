using Pipeline.Tests.Cargo;
using Pipeline.Tests.Serving;

namespace Pipeline.Tests.Flows;

[Trait("Shape", "both")]
public sealed class CargoIndexTests(SharedPipeline shared)
{
    private readonly RunningPipeline _pipeline = shared.Pipeline;

    [Theory]
    [InlineData("sparse", null)]
    [InlineData("git", "false")]
    [InlineData("git", "true")]
    public async Task A_crate_published_over_an_index_can_be_added_and_built_over_it(string index, string? withGitProgram)
    {
        var user = await _pipeline.AddUserAsync();
        using var cargo = new CargoHome(index == "git" ? _pipeline.GitIndex : _pipeline.SparseIndex, user.Token).With("CARGO_NET_GIT_FETCH_WITH_CLI", withGitProgram);
        var suffix = $"{index}-{withGitProgram}".TrimEnd('-');
        var (inner, outer) = ($"inner-{suffix}", $"outer-{suffix}");
        (await cargo.PublishAsync(cargo.NewPackage(inner, "1.0.0").Write("src/lib.rs", "pub const WORD: &str = \"heard\";"))).ShouldSucceed().Error.ShouldContain($"Published {inner}");
        (await cargo.PublishAsync(cargo.NewPackage(outer, "1.0.0")
            .DependsOn($"inner = {{ package = \"{inner}\", version = \"1\", registry = \"local\" }}")
            .Write("src/lib.rs", "pub use inner::WORD;"))).ShouldSucceed().Error.ShouldContain($"Published {outer}");

        using var consumer = new CargoHome(index == "git" ? _pipeline.GitIndex : _pipeline.SparseIndex, null).With("CARGO_NET_GIT_FETCH_WITH_CLI", withGitProgram);
        var program = consumer.NewPackage("consumer").Write("src/main.rs", $"fn main() {{ println!(\"{{}}\", {outer.Replace('-', '_')}::WORD); }}");
        (await consumer.RunAsync(program.Folder, $"add {outer} --registry local")).ShouldSucceed();
        var ran = await consumer.RunAsync(program.Folder, "run");

        ran.ShouldSucceed().Output.ShouldBe("heard\n");
        (await _pipeline.IndexLinesAsync(outer)).ShouldHaveSingleItem().ShouldContain($"\"name\":\"inner\",\"req\":\"^1\",\"features\":[],\"optional\":false,\"default_features\":true,\"target\":null,\"kind\":\"normal\",\"package\":\"{inner}\"");
    }
}
