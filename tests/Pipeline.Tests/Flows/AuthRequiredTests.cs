using System.Net;
using Pipeline.Tests.Cargo;
using Pipeline.Tests.Serving;

namespace Pipeline.Tests.Flows;

public sealed class AuthRequiredTests
{
    [Fact]
    public async Task Where_reading_needs_a_token_cargo_publishes_and_builds_with_one_and_says_what_is_missing_without()
    {
        await using var pipeline = await InProcessPipeline.StartAsync(("Registry:AuthRequired", "true"));
        var user = await pipeline.AddUserAsync("member");
        using var member = new CargoHome(pipeline.SparseIndex, user.Token).With("CARGO_REGISTRY_GLOBAL_CREDENTIAL_PROVIDERS", "cargo:token");
        (await member.PublishAsync(member.NewPackage("members-only", "1.0.0"))).ShouldSucceed().Error.ShouldContain("Published members-only");
        var consumer = member.NewPackage("consumer").DependsOn("members-only = { version = \"1\", registry = \"local\" }");
        (await member.RunAsync(consumer.Folder, "build")).ShouldSucceed().Error.ShouldContain("Compiling members-only v1.0.0");
        (await member.RunAsync(consumer.Folder, "search members --registry local")).ShouldSucceed().Output.ShouldContain("members-only");

        using var stranger = new CargoHome(pipeline.SparseIndex, null).With("CARGO_REGISTRY_GLOBAL_CREDENTIAL_PROVIDERS", "cargo:token");
        var outside = stranger.NewPackage("consumer").DependsOn("members-only = { version = \"1\", registry = \"local\" }");
        (await stranger.RunAsync(outside.Folder, "build")).ShouldFail("no token found for `local`, please run `cargo login --registry local`");

        using var wrong = new CargoHome(pipeline.SparseIndex, "cio" + new string('0', 32)).With("CARGO_REGISTRY_GLOBAL_CREDENTIAL_PROVIDERS", "cargo:token");
        (await wrong.RunAsync(outside.Folder, "build")).ShouldFail("token rejected for `local`, please run `cargo login --registry local`");
    }

    [Fact]
    public async Task Nothing_is_read_without_a_token()
    {
        await using var pipeline = await InProcessPipeline.StartAsync(("Registry:AuthRequired", "true"));
        string[] paths =
        [
            "/index/config.json", "/index/me/mb/members-only", "/crates/members-only/members-only-1.0.0.crate", "/api/v1/crates/members-only/1.0.0/download",
            "/api/v1/crates?q=members", "/api/v1/crates/members-only", "/git/index/info/refs?service=git-upload-pack",
        ];

        foreach (var path in paths)
        {
            using var answer = await pipeline.Http.GetAsync(new Uri(path, UriKind.Relative));
            answer.StatusCode.ShouldBe(HttpStatusCode.Unauthorized, path);
        }
    }
}
