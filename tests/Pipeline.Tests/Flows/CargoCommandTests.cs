using Pipeline.Tests.Cargo;
using Pipeline.Tests.Generating;
using Pipeline.Tests.Serving;

namespace Pipeline.Tests.Flows;

/// <summary>The commands of cargo that come after a publish.</summary>
[Trait("Shape", "both")]
public sealed class CargoCommandTests(SharedPipeline shared) : IAsyncLifetime
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
    public async Task A_fresh_lock_avoids_a_yanked_version_and_an_existing_lock_still_builds()
    {
        await PublishAsync("yankee", "1.0.0", "1.1.0");
        var before = Consumer(_cargo, "yankee");
        (await _cargo.RunAsync(before.Folder, "generate-lockfile")).ShouldSucceed();
        before.Lock.ShouldContain("name = \"yankee\"\nversion = \"1.1.0\"");

        (await _cargo.RunAsync(before.Folder, "yank yankee@1.1.0 --registry local")).ShouldSucceed();

        await _pipeline.SettleAsync("yankee");
        (await _pipeline.IndexLinesAsync("yankee"))!.Select(line => line.Contains("\"yanked\":true", StringComparison.Ordinal)).ShouldBe([false, true]);
        (await FreshLockAsync("yankee")).ShouldContain("name = \"yankee\"\nversion = \"1.0.0\"");
        // Somebody else, who has the lock file but not the crate.
        using var other = new CargoHome(_pipeline.SparseIndex, null);
        (await other.RunAsync(before.Folder, "build --locked")).ShouldSucceed().Error.ShouldContain("Compiling yankee v1.1.0");

        (await _cargo.RunAsync(before.Folder, "yank --undo yankee@1.1.0 --registry local")).ShouldSucceed();

        await _pipeline.SettleAsync("yankee");
        (await FreshLockAsync("yankee")).ShouldContain("name = \"yankee\"\nversion = \"1.1.0\"");
        (await _pipeline.CommitsOfAsync("yankee")).ShouldAllBe(message => message == "Create crate `yankee`" || message == "Update crate `yankee`");
    }

    [Fact]
    public async Task A_yanked_version_is_not_free_for_other_bytes()
    {
        await PublishAsync("yanked-but-taken", "1.0.0");
        (await _cargo.RunAsync(_cargo.NewFolder(), "yank yanked-but-taken@1.0.0 --registry local")).ShouldSucceed();
        await _pipeline.SettleAsync("yanked-but-taken");

        // cargo sends the PUT: to it a yanked version is none.
        (await _cargo.PublishAsync(_cargo.NewPackage("yanked-but-taken", "1.0.0"))).ShouldFail("crate version `1.0.0` is already uploaded");
    }

    [Fact]
    public async Task An_owner_can_be_added_and_may_publish_until_removed()
    {
        var friend = await _pipeline.AddUserAsync("a-friend");
        await PublishAsync("owned", "1.0.0");
        (await PublishAsAsync(friend, "owned", "1.1.0")).Detail!.ShouldStartWith("this crate exists but you don't seem to be an owner");

        (await _cargo.RunAsync(_cargo.NewFolder(), "owner --add a-friend owned --registry local")).ShouldSucceed();
        (await _cargo.RunAsync(_cargo.NewFolder(), "owner --list owned --registry local")).ShouldSucceed().Output.ShouldContain("a-friend (a-friend of the tests)");
        (await PublishAsAsync(friend, "owned", "1.1.0")).ShouldBeAccepted();

        (await _cargo.RunAsync(_cargo.NewFolder(), "owner --remove a-friend owned --registry local")).ShouldSucceed();
        (await _cargo.RunAsync(_cargo.NewFolder(), "owner --list owned --registry local")).ShouldSucceed().Output.ShouldNotContain("a-friend");
        (await PublishAsAsync(friend, "owned", "1.2.0")).Status.ShouldBe(System.Net.HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task Search_finds_a_crate_by_a_word_of_its_description()
    {
        var package = _cargo.NewPackage("needle", "0.4.2").Describe("description = \"sews haystacks together\"\nlicense = \"MIT\"\n");
        (await _cargo.PublishAsync(package)).ShouldSucceed();
        await _pipeline.SettleAsync();

        var found = await _cargo.RunAsync(package.Folder, "search haystacks --registry local");

        found.ShouldSucceed().Output.ShouldStartWith("needle = \"0.4.2\"    # sews haystacks together");
    }

    [Fact]
    public async Task Info_shows_what_the_manifest_says()
    {
        await PublishAsync("informed", "2.0.0");

        var info = await _cargo.RunAsync(_cargo.NewFolder(), "info informed --registry local");

        info.ShouldSucceed().Output.ShouldContain("one of many");
        info.Output.ShouldContain("version: 2.0.0");
        info.Output.ShouldContain("license: MIT");
    }

    [Fact]
    public async Task Update_takes_a_version_that_was_published_since()
    {
        await PublishAsync("evolving", "1.0.0");
        var consumer = Consumer(_cargo, "evolving");
        (await _cargo.RunAsync(consumer.Folder, "generate-lockfile")).ShouldSucceed();
        await PublishAsync("evolving", "1.0.1");

        var updated = await _cargo.RunAsync(consumer.Folder, "update");

        updated.ShouldSucceed().Error.ShouldContain("Updating evolving v1.0.0 (registry `local`) -> v1.0.1");
        consumer.Lock.ShouldContain("name = \"evolving\"\nversion = \"1.0.1\"");
    }

    private static Package Consumer(CargoHome cargo, string crate) => cargo.NewPackage("consumer").DependsOn($"{crate} = {{ version = \"1\", registry = \"local\" }}");

    private async Task<string> FreshLockAsync(string crate)
    {
        using var cargo = new CargoHome(_pipeline.SparseIndex, null);
        var consumer = Consumer(cargo, crate);
        (await cargo.RunAsync(consumer.Folder, "generate-lockfile")).ShouldSucceed();
        return consumer.Lock;
    }

    private async Task PublishAsync(string name, params IEnumerable<string> versions)
    {
        foreach (var version in versions) (await PublishAsAsync(_user, name, version)).ShouldBeAccepted();
        await _pipeline.SettleAsync(name);
    }

    private Task<PublishReply> PublishAsAsync(Account user, string name, string version) =>
        _pipeline.PublishAsync(CrateFile.Body(name, version, CrateFile.Plain(name, version)), user.Token);
}
