using System.Diagnostics;
using System.Globalization;

namespace Pipeline.Tests.Chaos.Shapes;

/// <summary>The bare repository that the index is pushed to, and somebody else who commits there.</summary>
internal sealed class GitPlace(string path)
{
    private const string Somebody = "somebody";
    private const string Branch = "refs/heads/master";
    private int _edits;

    /// <summary>The bare repository.</summary>
    public string Path => path;

    /// <summary>Makes it.</summary>
    public async Task CreateAsync() => await GitAsync(null, "init", "--quiet", "--bare", "--initial-branch=master", path);

    /// <summary>The newest commit; null: none yet.</summary>
    public async Task<string?> TipAsync()
    {
        try
        {
            return (await GitAsync(null, "rev-parse", "--verify", "--quiet", Branch)).Trim();
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>Whether a commit is part of what a newer one stands for.</summary>
    public async Task<bool> IsBehindAsync(string commit, string tip) => (await GitAsync(null, "merge-base", commit, tip)).Trim() == commit;

    /// <summary>Somebody edits a file and gets there first, however often the registry does.</summary>
    /// <param name="file">The path.</param>
    /// <param name="change">The new text for the old.</param>
    /// <returns>The commit.</returns>
    public async Task<string> EditAsync(string file, Func<string, string> change)
    {
        var index = System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"chaos-edit-{Guid.NewGuid():n}");
        try
        {
            while (true)
            {
                var tip = await TipAsync() ?? throw new InvalidOperationException("there is nothing to edit yet");
                var blob = (await GitAsync(change(await GitAsync(null, "cat-file", "blob", $"{tip}:{file}")), "hash-object", "-w", "--stdin")).Trim();
                await RunAsync(null, index, ["read-tree", tip]);
                await RunAsync(null, index, ["update-index", "--add", "--cacheinfo", $"100644,{blob},{file}"]);
                var tree = (await RunAsync(null, index, ["write-tree"])).Trim();
                var edit = Interlocked.Increment(ref _edits).ToString(CultureInfo.InvariantCulture);
                var commit = (await GitAsync(null, "-c", $"user.name={Somebody}", "-c", $"user.email={Somebody}@localhost", "commit-tree", tree, "-p", tip, "-m", $"Edit {edit} by somebody")).Trim();
                try
                {
                    await GitAsync(null, "update-ref", Branch, commit, tip);
                    return commit;
                }
                catch (InvalidOperationException)
                {
                    // The registry was faster.
                }
            }
        }
        finally
        {
            File.Delete(index);
        }
    }

    /// <summary>The server is gone.</summary>
    public void Hide() => Directory.Move(path, path + ".aside");

    /// <summary>It is back.</summary>
    public void Show() => Directory.Move(path + ".aside", path);

    private Task<string> GitAsync(string? input, params string[] arguments) => RunAsync(input, null, arguments);

    private async Task<string> RunAsync(string? input, string? index, string[] arguments)
    {
        var start = new ProcessStartInfo("git", arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        if (arguments[0] != "init") start.Environment["GIT_DIR"] = path;
        if (index is not null) start.Environment["GIT_INDEX_FILE"] = index;
        using var git = Process.Start(start)!;
        if (input is not null) await git.StandardInput.WriteAsync(input);
        git.StandardInput.Close();
        var error = git.StandardError.ReadToEndAsync();
        var output = await git.StandardOutput.ReadToEndAsync();
        await git.WaitForExitAsync();
        return git.ExitCode == 0 ? output : throw new InvalidOperationException($"git {string.Join(' ', arguments)}: {await error}");
    }
}
