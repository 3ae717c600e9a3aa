using Pipeline.Registry.Tests.Git;

namespace Pipeline.Api.Tests.Git;

public sealed class GitIndexFetchTests
{
    [Theory]
    [InlineData(0, "")]
    [InlineData(1, "")]
    [InlineData(2, "")]
    [InlineData(2, ".git")]
    public async Task A_clone_and_a_later_fetch_get_the_whole_index(int protocol, string suffix)
    {
        await using var served = await ServedIndex.StartAsync();
        await served.CommitAsync("1/a", [.. Enumerable.Range(0, 100).Select(i => $"{i}\n")]);
        var clone = served.NewFolder();
        Git("-c", $"protocol.version={protocol}", "clone", "-q", served.Url + suffix, clone);
        File.ReadAllText(Path.Combine(clone, "1/a")).ShouldBe("99\n");

        // Commits of its own, so that the client tells of many before both find a common one: git packs such a request.
        for (var i = 0; i < 60; i++) Git("-C", clone, "-c", "user.name=x", "-c", "user.email=x", "commit", "-q", "--allow-empty", "-m", $"{i}");
        var tip = await served.CommitAsync("1/a", "one more\n");
        Git("-C", clone, "-c", $"protocol.version={protocol}", "fetch", "-q", "origin", "+HEAD:refs/remotes/origin/HEAD");
        Git("-C", clone, "rev-parse", "refs/remotes/origin/HEAD").Trim().ShouldBe(tip);
        Git("-C", clone, "fsck", "--full");
        served.Encodings.ShouldContain("gzip");
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public async Task A_shallow_clone_works_and_can_be_deepened(int protocol)
    {
        await using var served = await ServedIndex.StartAsync();
        await served.CommitAsync("1/a", "1\n", "2\n", "3\n", "4\n", "5\n");
        var clone = served.NewFolder();
        Git("-c", $"protocol.version={protocol}", "clone", "-q", "--depth", "1", served.Url, clone);
        Git("-C", clone, "rev-list", "--count", "HEAD").ShouldBe("1\n");
        Git("-C", clone, "-c", $"protocol.version={protocol}", "fetch", "-q", "--unshallow");
        Git("-C", clone, "rev-list", "--count", "HEAD").ShouldBe("5\n");
    }

    [Fact]
    public async Task An_index_without_a_commit_is_an_empty_repository()
    {
        await using var served = await ServedIndex.StartAsync();
        await (await served.Repository.BeginWriteAsync(default)).DisposeAsync();
        Git("ls-remote", served.Url).ShouldBe("");
    }

    [Fact]
    public async Task Sixteen_clones_at_once_succeed_while_the_writer_commits_and_repacks()
    {
        var folder = new IndexFolder();
        folder.Options = folder.Options with { PacksBeforeRepack = 3 };
        await using var served = await ServedIndex.StartAsync(folder);
        for (var i = 0; i < 30; i++) await served.CommitAsync($"1/{(char)('a' + (i % 26))}", $"{i}\n");

        var clones = Enumerable.Range(0, 16).Select(i => Task.Run(() =>
        {
            var clone = served.NewFolder();
            Git("-c", $"protocol.version={i % 3}", "clone", "-q", "--bare", served.Url, clone);
            Git("-C", clone, "fsck", "--full", "--connectivity-only");
            return Git("-C", clone, "rev-parse", "master").Trim();
        })).ToList();
        var commits = 0;
        for (; !clones.TrueForAll(clone => clone.IsCompleted); commits++) await served.CommitAsync("1/a", $"while cloning {commits}\n");

        var known = folder.Git("rev-list", "master").Split('\n');
        foreach (var tip in await Task.WhenAll(clones)) known.ShouldContain(tip);
        folder.Messages().Length.ShouldBe(30 + commits);
        folder.ShouldBeSound();
    }

    [Fact]
    public async Task A_push_is_refused()
    {
        await using var served = await ServedIndex.StartAsync();
        await served.CommitAsync("1/a", "one\n");
        var clone = served.NewFolder();
        Git("clone", "-q", served.Url, clone);
        Should.Throw<ShouldAssertException>(() => Git("-C", clone, "push", "-q", served.Url, "HEAD:refs/heads/other")).Message.ShouldContain("403");
    }

    private static string Git(params string[] arguments) => IndexFolder.RunGit(arguments);
}
