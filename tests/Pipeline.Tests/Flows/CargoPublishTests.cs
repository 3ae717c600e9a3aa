using System.Security.Cryptography;
using Pipeline.Tests.Cargo;
using Pipeline.Tests.Generating;
using Pipeline.Tests.Serving;

namespace Pipeline.Tests.Flows;

[Trait("Shape", "both")]
public sealed class CargoPublishTests(SharedPipeline shared) : IAsyncLifetime
{
    private readonly RunningPipeline _pipeline = shared.Pipeline;
    private Account _user = null!;
    private CargoHome _cargo = null!;

    public async ValueTask InitializeAsync()
    {
        _user = await _pipeline.AddUserAsync();
        _cargo = new CargoHome(_pipeline.SparseIndex, _user.Token);
    }

    public ValueTask DisposeAsync()
    {
        _cargo.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task A_published_crate_stands_in_the_index_and_can_be_downloaded()
    {
        var package = _cargo.NewPackage("first-of-all", "1.2.3-rc.1+build.5");

        var published = await _cargo.RunAsync(package.Folder, "publish --registry local --allow-dirty");

        published.ShouldSucceed().Error.ShouldContain("Published first-of-all v1.2.3-rc.1+build.5 at registry `local`");
        published.Error.ShouldNotContain("warning: timed out");
        var file = _cargo.Packaged(package);
        var checksum = Convert.ToHexStringLower(SHA256.HashData(file));
        (await _pipeline.IndexLinesAsync("first-of-all")).ShouldBe(
            [$$"""{"name":"first-of-all","vers":"1.2.3-rc.1+build.5","deps":[],"cksum":"{{checksum}}","features":{},"yanked":false}"""]);
        (await _pipeline.DownloadAsync("first-of-all", "1.2.3-rc.1+build.5")).ShouldBe(file);
        // The token came from the environment: nobody had to log in.
        File.Exists(Path.Combine(_cargo.Home, "credentials.toml")).ShouldBeFalse();
    }

    [Fact]
    public async Task A_workspace_of_three_crates_is_published_in_the_order_of_their_dependencies()
    {
        var folder = _cargo.NewFolder();
        await File.WriteAllTextAsync(Path.Combine(folder, "Cargo.toml"), "[workspace]\nresolver = \"2\"\nmembers = [\"roof\", \"walls\", \"ground\"]\n");
        _ = new Package(Path.Combine(folder, "ground"), "ground", "0.1.0").Write("src/lib.rs", "pub fn depth() -> u8 { 3 }");
        _ = new Package(Path.Combine(folder, "walls"), "walls", "0.2.0").DependsOn("ground = { path = \"../ground\", version = \"0.1\", registry = \"local\" }")
            .Write("src/lib.rs", "pub fn height() -> u8 { ground::depth() + 4 }");
        _ = new Package(Path.Combine(folder, "roof"), "roof", "0.3.0").DependsOn("walls = { path = \"../walls\", version = \"0.2\", registry = \"local\" }")
            .Write("src/lib.rs", "pub fn top() -> u8 { walls::height() + 1 }");

        var published = await _cargo.RunAsync(folder, "publish --workspace --registry local --allow-dirty");

        published.ShouldSucceed();
        (await _pipeline.IndexLinesAsync("ground")).ShouldHaveSingleItem();
        (await _pipeline.IndexLinesAsync("walls")).ShouldHaveSingleItem().ShouldContain("\"deps\":[{\"name\":\"ground\",\"req\":\"^0.1\",");
        // The dependency is in this registry, so its line names none.
        (await _pipeline.IndexLinesAsync("roof")).ShouldHaveSingleItem().ShouldNotContain("\"registry\"");
    }

    [Fact]
    public async Task The_same_bytes_again_are_a_success_that_changes_nothing()
    {
        var package = _cargo.NewPackage("twice");
        (await _cargo.PublishAsync(package)).ShouldSucceed();
        await _pipeline.SettleAsync("twice");
        var (lines, commits) = (await _pipeline.IndexLinesAsync("twice"), await _pipeline.CommitsOfAsync("twice"));
        commits.ShouldBe(["Create crate `twice`"]);

        // cargo sees the version in the index and sends nothing …
        (await _cargo.PublishAsync(package)).ShouldFail("crate twice@0.1.0 already exists on `local` index");
        // … so the retry of a client that was cut off comes over HTTP.
        (await _pipeline.PublishAsync(CrateFile.Body("twice", "0.1.0", _cargo.Packaged(package)), _user.Token)).ShouldBeAccepted();

        await _pipeline.SettleAsync("twice");
        (await _pipeline.IndexLinesAsync("twice")).ShouldBe(lines);
        (await _pipeline.CommitsOfAsync("twice")).ShouldBe(commits);
    }

    [Fact]
    public async Task Other_bytes_for_a_version_that_exists_are_refused()
    {
        var package = _cargo.NewPackage("taken");
        (await _cargo.PublishAsync(package)).ShouldSucceed();

        var refused = await _pipeline.PublishAsync(CrateFile.Body("taken", "0.1.0", CrateFile.Plain("taken", "0.1.0", "// other")), _user.Token);

        refused.Detail.ShouldBe("crate version `0.1.0` is already uploaded");
        (await _pipeline.DownloadAsync("taken", "0.1.0")).ShouldBe(_cargo.Packaged(package));
    }

    [Fact]
    public async Task A_name_that_is_too_long_is_refused_before_the_archive_is_read()
    {
        var name = new string('x', 65);

        var refused = await _cargo.PublishAsync(_cargo.NewPackage(name));

        refused.ShouldFail($"the remote server responded with an error (status 400 Bad Request): the crate name `{name}` is too long (max 64 characters)");
    }

    [Fact]
    public async Task A_manifest_that_lacks_something_is_refused_and_cargo_says_what()
    {
        var refused = await _cargo.PublishAsync(_cargo.NewPackage("nameless").Describe(""));

        refused.ShouldFail("the remote server responded with an error (status 400 Bad Request): missing or empty metadata fields: description, license.");
        (await _pipeline.IndexLinesAsync("nameless")).ShouldBeNull();
    }

    [Fact]
    public async Task An_unknown_token_is_refused()
    {
        using var stranger = new CargoHome(_pipeline.SparseIndex, "cio" + new string('0', 32));

        (await stranger.PublishAsync(stranger.NewPackage("by-a-stranger"))).ShouldFail("(status 403 Forbidden): authentication failed");
    }
}
