using Pipeline.Contracts.Upkeep;
using Pipeline.Registry.Options;
using Pipeline.Workers.Tests.Harness;
using static Pipeline.Workers.Tests.Fetching.FetchFixture;

namespace Pipeline.Workers.Tests.Fetching;

/// <summary>Keeping mirrored files to their budget.</summary>
public sealed class FileEvictionTests
{
    [Fact]
    public async Task What_was_used_longest_ago_goes_first_and_only_as_much_as_must()
    {
        await using var mirror = await StartAsync(options: new MirrorOptions { MaxBytes = 3000 });
        var archives = await BigAsync(mirror, "one", "two", "three");
        await mirror.Harness.ExecuteAsync("INSERT INTO crates (canonical, name, revision, last_published_at, created_at, updated_at) VALUES ('mine', 'mine', 1, 1, 1, 1)");
        await mirror.Harness.Store.PutAsync("crates/mine/mine-1.0.0.crate", new byte[10_000]);
        foreach (var (name, age) in new[] { ("one", 1), ("two", 3), ("three", 2) })
            await mirror.Harness.ExecuteAsync("UPDATE upstream_files SET used_at = now_us() - $2 WHERE crate_id = (SELECT id FROM crates WHERE name = $1)", name, age * 1_000_000L);

        await mirror.Harness.DeliverAsync(new Sweep());

        (await mirror.StateAsync("two")).ShouldBe("evicted");
        (await mirror.BytesAsync("two", archives["two"])).ShouldBeNull();
        (await mirror.StateAsync("three")).ShouldBe("kept");
        (await mirror.BytesAsync("one", archives["one"])).ShouldBe(archives["one"]);
        (await mirror.Harness.ObjectsAsync()).ShouldContain("crates/mine/mine-1.0.0.crate");
        (await mirror.Eviction.RunAsync(CancellationToken.None)).ShouldBe(0);
    }

    [Fact]
    public async Task What_is_evicted_comes_back_when_it_is_asked_for_and_not_by_itself()
    {
        await using var mirror = await StartAsync(options: new MirrorOptions { MaxBytes = 3000 });
        var archives = await BigAsync(mirror, "one", "two", "three");
        await mirror.Harness.ExecuteAsync("UPDATE upstream_files SET used_at = 1 WHERE crate_id = (SELECT id FROM crates WHERE name = 'two')");
        (await mirror.Eviction.RunAsync(CancellationToken.None)).ShouldBe(1);
        await mirror.FetchAsync();
        (await mirror.StateAsync("two")).ShouldBe("evicted");

        (await mirror.AskAsync("two", archives["two"])).ShouldBeTrue();
        await mirror.FetchAsync();

        (await mirror.BytesAsync("two", archives["two"])).ShouldBe(archives["two"]);
    }

    [Fact]
    public async Task A_full_mirror_stops_at_its_budget_but_for_what_is_asked_for()
    {
        await using var mirror = await StartAsync(options: new MirrorOptions { MaxBytes = 1, FileConcurrency = 1 });
        var archives = new Dictionary<string, byte[]>();
        for (var i = 0; i < 20; i++) archives[$"crate-{i}"] = Archive($"crate-{i}", "1.0.0");
        foreach (var (name, archive) in archives) mirror.Files.File($"/{name}/1.0.0", archive);
        await mirror.IndexAsync([.. archives.Select(static pair => (pair.Key, (string?)Line(pair.Key, "1.0.0", pair.Value)))]);

        await mirror.FetchAsync();
        // What was taken at once, one place's share, is over the budget already.
        mirror.Files.Asked.Count.ShouldBe(4);
        var left = archives.Keys.First(name => !mirror.Files.Asked.Contains($"/{name}/1.0.0"));
        await mirror.AskAsync(left, archives[left]);
        await mirror.FetchAsync();

        (await mirror.StateAsync(left)).ShouldBe("kept");
        mirror.Files.Asked.Count.ShouldBe(5);
    }

    [Fact]
    public async Task An_eviction_that_was_interrupted_is_ended_by_the_next_and_nobody_is_sent_to_the_bytes_meanwhile()
    {
        await using var mirror = await StartAsync(options: new MirrorOptions { MaxBytes = 1000 });
        var archives = await BigAsync(mirror, "one");
        mirror.Harness.Store.DeleteFailure = FaultyStore.Away;
        await Should.ThrowAsync<Registry.Failures.TransientException>(() => mirror.Eviction.RunAsync(CancellationToken.None));
        (await mirror.StateAsync("one")).ShouldBe("evicted");
        (await mirror.BytesAsync("one", archives["one"])).ShouldNotBeNull();

        mirror.Harness.Store.DeleteFailure = null;
        await mirror.Harness.ExecuteAsync("UPDATE upstream_files SET taken_by = 'dead'");
        (await mirror.Eviction.RunAsync(CancellationToken.None)).ShouldBe(1);

        (await mirror.BytesAsync("one", archives["one"])).ShouldBeNull();
        (await mirror.Eviction.RunAsync(CancellationToken.None)).ShouldBe(0);
    }

    [Fact]
    public async Task Files_of_a_crate_that_the_upstream_removed_go_when_no_index_shows_it_any_more()
    {
        await using var mirror = await StartAsync();
        var archives = await mirror.ServeAsync("gone", "stays");
        await mirror.FetchAsync();
        await mirror.IndexAsync(("gone", null));
        (await mirror.Eviction.RunAsync(CancellationToken.None)).ShouldBe(0);
        await mirror.Harness.ExecuteAsync("UPDATE projections SET reached = wanted");

        (await mirror.Eviction.RunAsync(CancellationToken.None)).ShouldBe(1);

        (await mirror.BytesAsync("gone", archives["gone"])).ShouldBeNull();
        (await mirror.BytesAsync("stays", archives["stays"])).ShouldNotBeNull();
    }

    /// <summary>Crates whose files have 1,200 to 1,400 bytes, all fetched, budget or not.</summary>
    private static async Task<Dictionary<string, byte[]>> BigAsync(FetchFixture mirror, params string[] names)
    {
        var archives = names.ToDictionary(static name => name, static name => Archive(name, "1.0.0", $"description = \"{Convert.ToHexString(System.Security.Cryptography.RandomNumberGenerator.GetBytes(1000))}\"\n"));
        foreach (var (name, archive) in archives)
        {
            mirror.Files.File($"/{name}/1.0.0", archive);
            archive.Length.ShouldBeInRange(1050, 1499);
        }

        await mirror.IndexAsync([.. archives.Select(static pair => (pair.Key, (string?)Line(pair.Key, "1.0.0", pair.Value)))]);
        await mirror.FetchAsync();
        foreach (var name in names) (await mirror.StateAsync(name)).ShouldBe("kept");
        return archives;
    }
}
