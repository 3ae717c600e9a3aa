using System.Text;
using Pipeline.Contracts.Index;
using Pipeline.Registry.Failures;
using Pipeline.Registry.Git;

namespace Pipeline.Registry.Tests.Git;

public sealed class IndexSessionTests : IDisposable
{
    private static readonly CancellationToken None = TestContext.Current.CancellationToken;
    private readonly IndexFolder _index = new();

    public void Dispose() => _index.Dispose();

    [Fact]
    public async Task A_batch_becomes_one_commit_per_crate_with_exact_bytes()
    {
        using var repository = _index.Open();
        await using (var session = await repository.BeginWriteAsync(None))
        {
            var tip = await session.CommitAsync(null, [Commit("Create crate `A`", "1/a", "one\n"), Commit("Create crate `é\n\nbar`", "ba/r_/bar_baz", "two\n")], None);
            tip = await session.CommitAsync(tip, [Commit("Update crate `A`", "1/a", "one\nthree\n"), new IndexCommit("Delete crate `bar`", [], ["ba/r_/bar_baz"])], None);
            tip.ShouldBe(_index.Git("rev-parse", "master").Trim());
            (await session.LookUpAsync([], None)).Tip.ShouldBe(tip);
        }

        _index.Tree().ShouldBe("1/a=one\nthree\n");
        _index.Git("cat-file", "commit", "master").ShouldBe(
            $"""
            tree {_index.Git("rev-parse", "master^{tree}").Trim()}
            parent {_index.Git("rev-parse", "master~1").Trim()}
            author registry <registry@localhost> 1767355200 +0000
            committer registry <registry@localhost> 1767355200 +0000

            Delete crate `bar`
            """);
        _index.Git("log", "-1", "--format=%B", "master~2").ShouldBe("Create crate `é\n\nbar`\n");
        _index.Git("symbolic-ref", "HEAD").ShouldBe("refs/heads/master\n");
        _index.ShouldBeSound();
    }

    [Theory]
    [InlineData("fatal: sha1 file /index.git/objects/pack/tmp_pack_a write error. Out of diskspace")]
    [InlineData("fatal: sha1 file /index.git/objects/pack/tmp_pack_a write error: No space left on device")]
    [InlineData("fatal: unable to create temporary file: Read-only file system")]
    public async Task A_disk_in_trouble_is_an_outage_and_not_the_commits_fault(string error)
    {
        using var repository = _index.Open();
        await using (await repository.BeginWriteAsync(None))
        {
        }

        _index.FailCommitsWith(error);
        using var failing = _index.Open();
        await using var session = await failing.BeginWriteAsync(None);

        (await Should.ThrowAsync<TransientException>(() => session.CommitAsync(null, [Commit("Create crate `A`", "1/a", "one\n")], None))).Code.ShouldBe("git-away");
    }

    [Fact]
    public async Task Blob_ids_at_the_tip_are_those_of_the_bytes_and_null_where_there_is_no_file()
    {
        using var repository = _index.Open();
        await using var session = await repository.BeginWriteAsync(None);
        var (none, empty) = await session.LookUpAsync(["1/a"], None);
        none.ShouldBeNull();
        empty.ShouldBe([null]);

        var tip = await session.CommitAsync(null, [Commit("m", "1/a", "one\n")], None);
        var (found, ids) = await session.LookUpAsync(["1/a", "1/b", "1", "aa/bb/aabb"], None);
        found.ShouldBe(tip);
        ids[0].ShouldBe(GitBlobId.Of("one\n"u8));
        ids[1].ShouldBeNull();
        ids[3].ShouldBeNull();
    }

    [Fact]
    public async Task A_branch_that_moved_is_built_upon_never_overwritten()
    {
        using var repository = _index.Open();
        await using var session = await repository.BeginWriteAsync(None);
        var old = await session.CommitAsync(null, [Commit("one", "1/a", "1\n")], None);
        await session.CommitAsync(old, [Commit("two", "1/a", "2\n")], None);

        foreach (var stale in new[] { old, null })
            (await Should.ThrowAsync<TransientException>(() => session.CommitAsync(stale, [Commit("three", "1/b", "3\n")], None))).Code.ShouldBe("git-moved");
        _index.Messages().ShouldBe(["one", "two"]);
    }

    [Theory]
    [InlineData("")]
    [InlineData("/a")]
    [InlineData("a/")]
    [InlineData("a//b")]
    [InlineData("../a")]
    [InlineData("a/../b")]
    [InlineData(".git/config")]
    [InlineData("a\nD 1/b")]
    [InlineData("\"a\"")]
    [InlineData("A")]
    [InlineData("é")]
    public async Task A_path_that_no_crate_can_have_is_refused_before_git_sees_it(string path)
    {
        using var repository = _index.Open();
        await using var session = await repository.BeginWriteAsync(None);
        await Should.ThrowAsync<ArgumentException>(() => session.CommitAsync(null, [Commit("m", path, "x\n")], None));
        await Should.ThrowAsync<ArgumentException>(() => session.CommitAsync(null, [new IndexCommit("m", [], [path])], None));
        await Should.ThrowAsync<ArgumentException>(() => session.LookUpAsync([path], None));
    }

    [Fact]
    public async Task What_a_killed_git_left_is_cleared_away_and_an_operators_keep_stays()
    {
        using var repository = _index.Open();
        await using (var session = await repository.BeginWriteAsync(None)) await session.CommitAsync(null, [Commit("one", "1/a", "1\n")], None);
        string[] left = ["HEAD.lock", "config.lock", "refs/heads/master.lock", "packed-refs.lock", "objects/pack/tmp_pack_x", "objects/pack/.tmp-1-pack-x", "fast_import_crash_1", "objects/pack/pack-x.keep"];
        foreach (var file in left) File.WriteAllText(Path.Combine(_index.Repository, file), "fast-import");
        var kept = Path.Combine(_index.Repository, "objects/pack/pack-y.keep");
        File.WriteAllText(kept, "an operator's");

        await using (var session = await repository.BeginWriteAsync(None))
        {
            var (tip, _) = await session.LookUpAsync([], None);
            await session.CommitAsync(tip, [Commit("two", "1/a", "2\n")], None);
        }

        left.ShouldAllBe(file => !File.Exists(Path.Combine(_index.Repository, file)));
        File.Exists(kept).ShouldBeTrue();
        _index.Messages().ShouldBe(["one", "two"]);
    }

    [Fact]
    public async Task A_stale_lock_is_a_transient_failure_and_the_next_session_mends_it()
    {
        using var repository = _index.Open();
        await using (var session = await repository.BeginWriteAsync(None))
        {
            File.WriteAllText(Path.Combine(_index.Repository, "refs/heads/master.lock"), "");
            (await Should.ThrowAsync<TransientException>(() => session.CommitAsync(null, [Commit("one", "1/a", "1\n")], None))).Code.ShouldBe("git-moved");
        }

        await using (var session = await repository.BeginWriteAsync(None)) await session.CommitAsync(null, [Commit("one", "1/a", "1\n")], None);
        _index.Messages().ShouldBe(["one"]);
    }

    [Fact]
    public async Task Batches_stay_packs_and_many_packs_are_merged()
    {
        _index.Options = _index.Options with { PacksBeforeRepack = 8 };
        using var repository = _index.Open(TimeProvider.System);
        await using var session = await repository.BeginWriteAsync(None);
        string? tip = null;
        for (var i = 0; i < 8; i++)
        {
            (await session.RepackIfDueAsync(None)).ShouldBeFalse();
            tip = await session.CommitAsync(tip, [Commit($"c{i}", "1/a", $"{i}\n")], None);
        }

        (await session.RepackIfDueAsync(None)).ShouldBeTrue();
        Directory.GetFiles(Path.Combine(_index.Repository, "objects/pack"), "*.pack").Length.ShouldBeLessThan(4);
        _index.Git("count-objects", "-v").ShouldContain("count: 0\n");
        _index.Messages().Length.ShouldBe(8);
        _index.ShouldBeSound();
    }

    [Fact]
    public async Task The_configuration_is_committed_when_it_differs_and_only_then()
    {
        using var repository = _index.Open();
        var first = "{\"dl\":\"http://a/dl\",\"api\":\"http://a\"}\n"u8.ToArray();
        (await repository.EnsureConfigAsync(first, None)).ShouldBeTrue();
        (await repository.EnsureConfigAsync(first, None)).ShouldBeFalse();
        _index.Tree().ShouldBe("config.json={\"dl\":\"http://a/dl\",\"api\":\"http://a\"}\n");
        (await repository.EnsureConfigAsync("{}\n"u8.ToArray(), None)).ShouldBeTrue();
        _index.Messages().ShouldBe(["Add config.json", "Update config.json"]);
        _index.Tree().ShouldBe("config.json={}\n");
    }

    [Fact]
    public async Task A_repository_half_made_is_made_whole()
    {
        using var repository = _index.Open();
        await (await repository.BeginWriteAsync(None)).DisposeAsync();
        File.Delete(Path.Combine(_index.Repository, "HEAD"));
        File.Delete(Path.Combine(_index.Repository, "config"));
        (await repository.EnsureConfigAsync("{}"u8.ToArray(), None)).ShouldBeTrue();
        _index.Git("config", "core.fsync").ShouldBe("all\n");
        _index.Git("symbolic-ref", "HEAD").ShouldBe("refs/heads/master\n");
    }

    private static IndexCommit Commit(string message, string path, string content) => new(message, [new IndexUpsert(path, Encoding.UTF8.GetBytes(content))], []);
}
