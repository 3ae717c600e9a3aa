namespace Pipeline.Tests.Cargo;

/// <summary>What came of a cargo command.</summary>
/// <param name="Command">The command.</param>
/// <param name="ExitCode">0: it succeeded; 101: it failed.</param>
/// <param name="Output">Its standard output.</param>
/// <param name="Error">Its standard error, where cargo says what it does.</param>
public sealed record CargoResult(string Command, int ExitCode, string Output, string Error)
{
    /// <summary>Fails the test unless cargo succeeded.</summary>
    public CargoResult ShouldSucceed()
    {
        ExitCode.ShouldBe(0, $"cargo {Command}\n{Error}{Output}");
        return this;
    }

    /// <summary>Fails the test unless cargo failed, and said so in these words.</summary>
    public CargoResult ShouldFail(string because)
    {
        ExitCode.ShouldBe(101, $"cargo {Command}\n{Error}{Output}");
        Error.ShouldContain(because);
        return this;
    }
}
