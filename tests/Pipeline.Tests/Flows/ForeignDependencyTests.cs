using Pipeline.Tests.Cargo;
using Pipeline.Tests.Generating;
using Pipeline.Tests.Serving;

namespace Pipeline.Tests.Flows;

/// <summary>Crates that depend on crates.io (design §3 "Dependencies on other registries"). A second registry plays crates.io: cargo is told to replace that source.</summary>
[Trait("Shape", "both")]
public sealed class ForeignDependencyTests(SharedPipeline shared)
{
    private readonly RunningPipeline _pipeline = shared.Pipeline;

    [Fact]
    public async Task A_crate_that_depends_on_crates_io_publishes_and_builds()
    {
        await using var cratesIo = await InProcessPipeline.StartAsync();
        var serde = CrateFile.Pack("serde", "1.0.219", ("Cargo.toml", CrateFile.PlainManifest("serde", "1.0.219") + "\n[features]\nderive = []\n"), ("src/lib.rs", "pub const NAME: &str = \"serde\";"));
        (await cratesIo.PublishAsync(CrateFile.Body("serde", "1.0.219", serde), cratesIo.Admin.Token)).ShouldBeAccepted();
        await cratesIo.SettleAsync();
        var user = await _pipeline.AddUserAsync();
        using var cargo = new CargoHome(_pipeline.SparseIndex, user.Token);
        cargo.Configure($"[source.crates-io]\nreplace-with = \"mirror\"\n[source.mirror]\nregistry = \"{cratesIo.SparseIndex}\"\n");
        var package = cargo.NewPackage("on-serde")
            .DependsOn("serde = { version = \"1\", features = [\"derive\"] }")
            .Write("src/lib.rs", "pub use serde::NAME;");

        (await cargo.RunAsync(package.Folder, "publish --registry local --allow-dirty")).ShouldSucceed();

        (await _pipeline.IndexLinesAsync("on-serde")).ShouldHaveSingleItem().ShouldContain(
            "\"deps\":[{\"name\":\"serde\",\"req\":\"^1\",\"features\":[\"derive\"],\"optional\":false,\"default_features\":true,\"target\":null,\"kind\":\"normal\","
            + "\"registry\":\"https://github.com/rust-lang/crates.io-index\"}]");
        var consumer = cargo.NewPackage("consumer").Write("src/main.rs", "fn main() { println!(\"{}\", on_serde::NAME); }");
        (await cargo.RunAsync(consumer.Folder, "add on-serde --registry local")).ShouldSucceed();
        (await cargo.RunAsync(consumer.Folder, "run")).ShouldSucceed().Output.ShouldBe("serde\n");
        consumer.Lock.ShouldContain("name = \"serde\"\nversion = \"1.0.219\"\nsource = \"registry+https://github.com/rust-lang/crates.io-index\"");
    }

    [Fact]
    public async Task A_dependency_that_nobody_knows_here_is_refused()
    {
        var user = await _pipeline.AddUserAsync();
        var manifest = CrateFile.PlainManifest("hopeful", "1.0.0") + "\n[dependencies]\nnobody-has-it = \"1\"\n";

        var refused = await _pipeline.PublishAsync(CrateFile.Body("hopeful", "1.0.0", CrateFile.Pack("hopeful", "1.0.0", ("Cargo.toml", manifest), ("src/lib.rs", ""))), user.Token);

        refused.Detail.ShouldBe("no known crate named `nobody-has-it`");
    }
}
