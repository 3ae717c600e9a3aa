using System.Text;
using Pipeline.Registry.Failures;
using Pipeline.Registry.Git;

namespace Pipeline.Registry.Tests.Git;

public sealed class GitProgramTests : IDisposable
{
    private static readonly CancellationToken None = TestContext.Current.CancellationToken;
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);
    private readonly IndexFolder _index = new();

    public void Dispose() => _index.Dispose();

    [Fact]
    public async Task Nothing_of_the_machines_configuration_or_the_callers_variables_reaches_git()
    {
        Environment.SetEnvironmentVariable("GIT_AUTHOR_NAME", "stranger");
        File.WriteAllText(Path.Combine(_index.Root, ".gitconfig"), "[user]\n\tname = stranger\n");
        try
        {
            var result = await _index.Program.RunAsync(null, ["var", "-l"], default, Minute, None);
            Encoding.UTF8.GetString(result.Output).ShouldNotContain("stranger");
        }
        finally
        {
            Environment.SetEnvironmentVariable("GIT_AUTHOR_NAME", null);
        }
    }

    [Fact]
    public async Task A_failing_command_gives_its_status_and_its_words_to_a_bound()
    {
        var result = await _index.Program.RunAsync(null, ["hash-object", "--stdin-paths"], Encoding.ASCII.GetBytes(new string('x', 9000) + "\n"), Minute, None);
        result.ExitCode.ShouldBe(128);
        result.Errors.ShouldStartWith("fatal:");
        result.Errors.Length.ShouldBeLessThanOrEqualTo(4096);
    }

    [Fact]
    public async Task A_command_beyond_its_limit_is_ended_and_transient()
    {
        var child = _index.Program.Start(null, ["-c", "alias.wait=!sleep 600", "wait"]);
        var id = child.Id;
        (await Should.ThrowAsync<TransientException>(() => child.FinishAsync(default(ReadOnlyMemory<byte>), TimeSpan.FromMilliseconds(100), None))).Code.ShouldBe("git-slow");
        await child.DisposeAsync();
        Directory.Exists($"/proc/{id}").ShouldBeFalse();
    }

    [Fact]
    public void A_program_that_is_not_there_is_transient() =>
        Should.Throw<TransientException>(() => new GitProgram("/no/such/git", _index.Root).Start(null, ["version"])).Code.ShouldBe("git-away");

    [Fact]
    public async Task Input_that_git_does_not_read_to_its_end_is_no_fault_of_ours()
    {
        var result = await _index.Program.RunAsync(null, ["version"], new byte[1 << 20], Minute, None);
        result.ExitCode.ShouldBe(0);
        Encoding.ASCII.GetString(result.Output).ShouldStartWith("git version");
    }
}
