using Pipeline.Contracts.Index;
using Pipeline.Contracts.Publishing;
using Pipeline.Registry.Identity;
using Pipeline.Registry.Upstreams;
using static Pipeline.Workers.Tests.Upstream.MirrorFixture;

namespace Pipeline.Workers.Tests.Upstream;

/// <summary>Local crates beside mirrored ones: of a name one is served, versions are never merged.</summary>
public sealed class CollisionTests
{
    private const string Queues = "sync-upstream commit-index render-sparse read-manifest";

    [Fact]
    public async Task A_local_crate_keeps_its_name_when_an_upstream_has_it_in_another_spelling()
    {
        await using var mirror = await StartAsync(queues: Queues);
        await PublishAsync(mirror, "my-crate", "1.0.0");
        mirror.Commit(("my_crate", Line("my_crate", "9.0.0")), ("other", Line("other", "1.0.0")));

        await mirror.SyncAsync();
        await mirror.ProjectAsync();

        (await mirror.Harness.GitAsync("ls-tree", "-r", "--name-only", "master")).ShouldBe("my/-c/my-crate\not/he/other\n");
        (await mirror.SparseAsync("my-crate")).ShouldNotBeNull().ShouldContain("\"1.0.0\"");
        (await mirror.SparseAsync("my_crate")).ShouldBeNull();
        (await mirror.Harness.Database.ReadAsync(sql => UpstreamViews.CollisionsAsync(sql, Name, 10))).ShouldHaveSingleItem().ShouldSatisfyAllConditions(
            static one => one.Name.ShouldBe("my-crate"), static one => one.Served.ShouldBe("local"), static one => one.Others.ShouldBe([Name]));
    }

    [Fact]
    public async Task Where_the_upstream_wins_its_crate_takes_the_name_and_the_local_one_comes_back_when_the_upstream_loses_it()
    {
        await using var mirror = await StartAsync(static upstream => upstream with { Collisions = CollisionPolicies.UpstreamWins }, Queues);
        await PublishAsync(mirror, "my-crate", "1.0.0");
        await mirror.ProjectAsync();
        var local = await mirror.SparseAsync("my-crate");
        mirror.Commit(("my_crate", Line("my_crate", "9.0.0")), ("other", Line("other", "1.0.0")));

        await mirror.SyncAsync();
        await mirror.ProjectAsync();
        (await mirror.SparseAsync("my-crate")).ShouldBeNull();
        (await mirror.SparseAsync("my_crate")).ShouldBe(Line("my_crate", "9.0.0"));
        (await mirror.Harness.GitAsync("ls-tree", "-r", "--name-only", "master")).ShouldBe("my/_c/my_crate\not/he/other\n");

        mirror.Commit(("my_crate", null));
        await mirror.SyncAsync();
        await mirror.ProjectAsync();
        (await mirror.SparseAsync("my-crate")).ShouldBe(local);
        (await mirror.Harness.GitAsync("ls-tree", "-r", "--name-only", "master")).ShouldBe("my/-c/my-crate\not/he/other\n");
    }

    [Fact]
    public async Task Where_collisions_are_refused_each_is_an_open_failure_and_the_local_crate_is_served()
    {
        await using var mirror = await StartAsync(static upstream => upstream with { Collisions = CollisionPolicies.Refuse }, Queues);
        await PublishAsync(mirror, "mine", "1.0.0");
        mirror.Commit(("mine", Line("mine", "9.0.0")), ("other", Line("other", "1.0.0")));

        await mirror.SyncAsync();
        await mirror.ProjectAsync();

        (await mirror.Harness.FailuresAsync()).ShouldBe(["reject/name-collision"]);
        (await mirror.SparseAsync("mine")).ShouldNotBeNull().ShouldContain("\"1.0.0\"");
        (await mirror.SparseAsync("other")).ShouldNotBeNull();
    }

    [Fact]
    public async Task A_new_local_name_that_an_upstream_has_is_refused_until_an_operator_reserves_it_and_then_takes_the_place_of_the_upstreams()
    {
        await using var mirror = await StartAsync(queues: Queues);
        mirror.Commit(("serde", Line("serde", "1.0.0")));
        await mirror.SyncAsync();
        await mirror.ProjectAsync();

        var refused = await mirror.Harness.CheckedAsync("serde", "7.0.0");
        await mirror.Harness.DeliverAsync(new ReadManifest(refused));
        (await mirror.Harness.TextAsync("SELECT verdict_code || ': ' || verdict_text FROM publishes WHERE id = $1", refused)).ShouldBe(
            "name-not-available: `serde` is the name of a crate of `crates-io`, which this registry mirrors; an operator can reserve the name for local crates");

        await mirror.Harness.Database.WriteAsync(sql => LocalNames.ReserveAsync(sql, "Serde", "ours", Actor.System));
        await mirror.ProjectAsync();
        (await mirror.SparseAsync("serde")).ShouldBeNull();

        await PublishAsync(mirror, "serde", "7.0.0");
        await mirror.ProjectAsync();
        (await mirror.SparseAsync("serde")).ShouldNotBeNull().ShouldContain("\"7.0.0\"");
        (await mirror.GitAsync("serde")).ShouldBe(await mirror.SparseAsync("serde"));
        (await mirror.Harness.LongAsync("SELECT COUNT(*) FROM projections WHERE reached < wanted AND kind <> 'record'")).ShouldBe(0);

        // What the upstream does to its crate meanwhile shows nowhere.
        mirror.Commit(("serde", Line("serde", "1.0.0") + Line("serde", "1.0.1")));
        await mirror.SyncAsync();
        await mirror.ProjectAsync();
        (await mirror.SparseAsync("serde")).ShouldNotBeNull().ShouldNotContain("1.0.1");
        await mirror.Harness.Database.WriteAsync(sql => LocalNames.ReleaseAsync(sql, "serde", Actor.System));
        await mirror.ProjectAsync();
        (await mirror.SparseAsync("serde")).ShouldNotBeNull().ShouldContain("\"7.0.0\"");
    }

    [Fact]
    public async Task Of_two_upstreams_with_one_name_the_first_added_is_served()
    {
        await using var mirror = await StartAsync(queues: Queues);
        var second = new GitIndex.BareRemote(Directory.CreateDirectory(Path.Combine(mirror.Harness.Folder, "second")).FullName);
        second.Edit("change", (IndexPath.Of("serde"), Line("serde", "2.0.0")), (IndexPath.Of("only"), Line("only", "1.0.0")));
        await mirror.Harness.Database.WriteAsync(sql => UpstreamStore.AddAsync(sql, new Registry.Upstreams.Upstream
        {
            Name = "second",
            IndexUrl = second.Repository,
            Mode = UpstreamModes.Full,
            EveryMicroseconds = 60_000_000,
            Collisions = CollisionPolicies.LocalWins,
            Removals = RemovalPolicies.Remove,
        }));
        await mirror.SyncAsync("second");
        await mirror.ProjectAsync();
        (await mirror.SparseAsync("serde")).ShouldBe(Line("serde", "2.0.0"));

        mirror.Commit(("serde", Line("serde", "1.0.0")));
        await mirror.SyncAsync();
        await mirror.ProjectAsync();

        (await mirror.SparseAsync("serde")).ShouldBe(Line("serde", "1.0.0"));
        (await mirror.SparseAsync("only")).ShouldBe(Line("only", "1.0.0"));
        (await mirror.GitAsync("serde")).ShouldBe(Line("serde", "1.0.0"));
    }

    [Fact]
    public async Task A_crate_of_an_upstream_is_a_known_dependency()
    {
        await using var mirror = await StartAsync(queues: Queues);
        mirror.Commit(("serde", Line("serde", "1.0.0")));
        await mirror.SyncAsync();

        var manifest = Harness.WorkerHarness.Manifest("mine", "1.0.0", "[dependencies]\nserde = \"1\"\n");
        var id = await mirror.Harness.CheckedAsync("mine", "1.0.0", manifest, claims: """{"dependencies":[{"name":"serde","registry":null}],"allowMissingDependencies":false}""");
        await mirror.Harness.DeliverAsync(new ReadManifest(id));

        (await mirror.Harness.TextAsync("SELECT state || COALESCE(verdict_text, '') FROM publishes WHERE id = $1", id)).ShouldBe("accepted");
    }

    private static async Task PublishAsync(MirrorFixture mirror, string name, string version)
    {
        var id = await mirror.Harness.CheckedAsync(name, version);
        await mirror.Harness.DeliverAsync(new ReadManifest(id));
        (await mirror.Harness.TextAsync("SELECT state || COALESCE(verdict_text, '') FROM publishes WHERE id = $1", id)).ShouldBe("accepted");
    }
}
