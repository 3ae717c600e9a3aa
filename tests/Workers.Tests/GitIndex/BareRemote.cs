using Pipeline.Registry.Tests.Git;

namespace Pipeline.Workers.Tests.GitIndex;

/// <summary>A repository that the index is pushed to, and the hands of somebody else at it.</summary>
public sealed class BareRemote
{
    private readonly string _hands;

    /// <summary>Makes one in a folder, or takes a repository that is there.</summary>
    public BareRemote(string folder, string? repository = null)
    {
        _hands = Path.Combine(folder, $"hands-{Guid.NewGuid():N}");
        Repository = repository ?? Path.Combine(folder, "remote.git");
        if (repository is null) IndexFolder.RunGit("init", "--quiet", "--bare", "--initial-branch=master", Repository);
    }

    public string Repository { get; }

    public string Git(params string[] arguments) => IndexFolder.RunGit(["--git-dir", Repository, .. arguments]);

    public string Tip => Git("rev-parse", "master").Trim();

    /// <summary>The commit messages, oldest first.</summary>
    public string[] Messages() => Git("log", "--reverse", "--format=%s", "master").Split('\n', StringSplitOptions.RemoveEmptyEntries);

    public string[] Files() => Git("ls-tree", "-r", "--name-only", "master").Split('\n', StringSplitOptions.RemoveEmptyEntries);

    public string Show(string path) => Git("show", $"master:{path}");

    /// <summary>Somebody else commits a file; null deletes it.</summary>
    public void Edit(string message, params (string Path, string? Content)[] files)
    {
        if (Directory.Exists(_hands)) Directory.Delete(_hands, recursive: true);
        IndexFolder.RunGit("clone", "--quiet", Repository, _hands);
        foreach (var (path, content) in files)
        {
            var file = Path.Combine(_hands, path);
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            if (content is null) File.Delete(file);
            else File.WriteAllText(file, content);
        }

        IndexFolder.RunGit("-C", _hands, "add", "-A");
        IndexFolder.RunGit("-C", _hands, "-c", "user.name=hand", "-c", "user.email=hand@localhost", "commit", "--quiet", "-m", message);
        IndexFolder.RunGit("-C", _hands, "push", "--quiet", "origin", "HEAD:master");
    }

    /// <summary>Puts a hook there: a shell script.</summary>
    public void Hook(string name, string? body)
    {
        var path = Path.Combine(Repository, "hooks", name);
        if (body is null)
        {
            File.Delete(path);
            return;
        }

        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, "#!/bin/sh\n" + body + "\n");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    /// <summary>Fails the test when an object is damaged or missing, a commit changes nothing, or history has a merge.</summary>
    public void ShouldBeSound()
    {
        Git("fsck", "--full", "--strict");
        var trees = Git("log", "--format=%T", "master").Split('\n', StringSplitOptions.RemoveEmptyEntries);
        trees.Zip(trees.Skip(1)).ShouldAllBe(pair => pair.First != pair.Second);
        Git("log", "--merges", "--format=%H", "master").ShouldBeEmpty();
    }
}
