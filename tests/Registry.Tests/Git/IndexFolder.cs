using System.Diagnostics;
using System.Runtime.Versioning;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Pipeline.Registry.Git;

[assembly: SupportedOSPlatform("linux")]

namespace Pipeline.Registry.Tests.Git;

/// <summary>A folder of its own with a git index in it, looked at with the plain git program.</summary>
public sealed class IndexFolder : IDisposable
{
    public static readonly DateTimeOffset Noon = new(2026, 1, 2, 12, 0, 0, TimeSpan.Zero);

    public IndexFolder(string? path = null)
    {
        Root = path ?? Directory.CreateTempSubdirectory("pipeline-git-").FullName;
        Options = new GitIndexOptions { RepositoryPath = Path.Combine(Root, "index.git"), LockWaitSeconds = 60, GatherSeconds = 0, SeparateCommits = int.MaxValue };
    }

    public string Root { get; }

    public GitIndexOptions Options { get; set; }

    public string Repository => Options.RepositoryPath;

    public GitProgram Program => new(Options.Program, Root);

    public IndexRepository Open(TimeProvider? clock = null) =>
        new(Program, Options, clock ?? new FixedClock(Noon), NullLogger<IndexRepository>.Instance, GitRemoteAddress.Of(Options) is { } remote ? new GitRemote(Program, remote, Options, Root) : null);

    /// <summary>Runs the machine's git on the index and returns what it prints; fails the test when git fails.</summary>
    public string Git(params string[] arguments) => RunGit(["--git-dir", Repository, .. arguments]);

    public static string RunGit(params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo("git", arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        process.ExitCode.ShouldBe(0, $"git {string.Join(' ', arguments)}: {errors.Result}");
        return output;
    }

    /// <summary>The index's files as <c>path=content</c> lines.</summary>
    public string Tree() => string.Concat(Git("ls-tree", "-r", "--name-only", "master").Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(path => $"{path}={Git("show", $"master:{path}")}"));

    /// <summary>The commit messages, oldest first.</summary>
    public string[] Messages() => Git("log", "--reverse", "--format=%s", "master").Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>Fails the test when an object is damaged or missing, or a commit changes nothing.</summary>
    public void ShouldBeSound()
    {
        Git("fsck", "--full", "--strict");
        var trees = Git("log", "--format=%T", "master").Split('\n', StringSplitOptions.RemoveEmptyEntries);
        trees.Zip(trees.Skip(1)).ShouldAllBe(pair => pair.First != pair.Second);
    }

    /// <summary>
    /// Puts a program in git's place that takes all of a fast-import's input, says so with a file <c>fed</c>, and hands it to git only
    /// when there is a file <c>go</c>. Its answer goes to a file: as if git had given it, and were now about to move the branch. Everything
    /// else goes to git at once.
    /// </summary>
    public void SlowDownCommits() => Options = Options with
    {
        Program = Script(
            $"""
            case "$*" in *fast-import*)
                cat > '{Root}/input'; : > '{Root}/fed'
                while [ ! -e '{Root}/go' ]; do sleep 0.02; done
                exec git "$@" < '{Root}/input' > '{Root}/output';;
            esac
            exec git "$@"
            """),
    };

    /// <summary>Puts a program in git's place that refuses, as git refuses a bad command, every fast-import whose input has a word.</summary>
    public void RefuseCommitsWith(string word) => Options = Options with
    {
        Program = Script(
            $"""
            case "$*" in *fast-import*)
                cat > '{Root}/input.'$$
                if grep -q '{word}' '{Root}/input.'$$; then echo 'fatal: Unsupported command: {word}' >&2; exit 128; fi
                exec git "$@" < '{Root}/input.'$$;;
            esac
            exec git "$@"
            """),
    };

    /// <summary>Puts a program in git's place that takes no commit and says why.</summary>
    public void FailCommitsWith(string error) => Options = Options with
    {
        Program = Script(
            $"""
            case "$*" in *fast-import*) cat > /dev/null; echo '{error}' >&2; exit 128;; esac
            exec git "$@"
            """),
    };

    /// <summary>Puts a program in git's place that kills every fast-import when it has read so much.</summary>
    public void KillCommitsAfter(int bytes) => Options = Options with
    {
        Program = Script(
            $"""
            case "$*" in *fast-import*)
                mkfifo '{Root}/pipe'
                git "$@" < '{Root}/pipe' & exec 9> '{Root}/pipe'
                head -c {bytes} >&9; kill -9 $!; wait $!; kill -9 $$;;
            esac
            exec git "$@"
            """),
    };

    /// <summary>Puts a program in git's place that writes its arguments, and its environment, to files before git runs.</summary>
    public void NoteWhatGitIsTold() => Options = Options with { Program = Script($"""printf '%s\n' "$*" >> '{Root}/arguments'; env >> '{Root}/environment'; exec git "$@" """) };

    /// <summary>Puts a program in git's place whose pushes never end, and leave the process id of a child of theirs in a file <c>pid</c>.</summary>
    public void StallPushes() => Options = Options with
    {
        Program = Script(
            $"""
            case "$*" in *' push '*) sleep 600 & echo $! > '{Root}/pid.new'; mv '{Root}/pid.new' '{Root}/pid'; wait;; esac
            exec git "$@"
            """),
    };

    /// <summary>Puts a program in git's place that leaves its process id in a file <c>pid</c>.</summary>
    public void NoteProcess() => Options = Options with { Program = Script($"""echo $$ > '{Root}/pid.new' && mv '{Root}/pid.new' '{Root}/pid' && exec git "$@" """) };

    /// <summary>Has git say nothing and not end when it is to advertise, while there is a file <c>hang</c>; its process is noted as above.</summary>
    public void HangOnDemand() => Options = Options with
    {
        Program = Script($"""
            case "$*" in *http-backend-info-refs*)
                if [ -e '{Root}/hang' ]; then echo $$ > '{Root}/pid.new' && mv '{Root}/pid.new' '{Root}/pid' && exec sleep 300; fi ;;
            esac
            exec git "$@"
            """),
    };

    public void Dispose() => Directory.Delete(Root, recursive: true);

    private string Script(string body)
    {
        var path = Path.Combine(Root, "git-stand-in");
        File.WriteAllText(path, "#!/bin/sh\n" + body + "\n", new UTF8Encoding(false));
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return path;
    }

    /// <summary>A clock that stands still, so that commit ids can be foretold.</summary>
    public sealed class FixedClock(DateTimeOffset now) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => now;
    }
}
