using System.Diagnostics;

namespace Pipeline.Cli.Tests;

public class ScriptTests
{
    [Theory]
    [InlineData("ops/run")]
    [InlineData("ops/test")]
    [InlineData("ops/pipeline")]
    [InlineData(".ci/run")]
    public void Every_script_can_be_run_and_is_read_without_error(string script)
    {
        var file = RepositoryFiles.Path(script);
#pragma warning disable CA1416 // the scripts and their tests run on Linux only
        File.GetUnixFileMode(file).HasFlag(UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute).ShouldBeTrue();
#pragma warning restore CA1416
        Run("bash", "-n", file).Code.ShouldBe(0);
        File.ReadAllText(file).ShouldContain("set -euo pipefail");
    }

    [Fact]
    public void A_suite_that_does_not_exist_is_named_with_those_that_do()
    {
        var (code, error) = Run(RepositoryFiles.Path("ops/test"), "--no-build", "nothing");
        code.ShouldBe(1);
        error.ShouldContain("there is no suite nothing; there are: Api Cli Contracts");
    }

    private static (int Code, string Error) Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        var error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, error);
    }
}
