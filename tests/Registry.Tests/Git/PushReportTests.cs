using Pipeline.Registry.Git;

namespace Pipeline.Registry.Tests.Git;

public sealed class PushReportTests
{
    private const string Branch = "refs/heads/master";

    [Theory]
    [InlineData(" \tabc:refs/heads/master\tabc..def\nDone\n", 0, PushOutcome.Confirmed)]
    [InlineData("*\tabc:refs/heads/master\t[new branch]\nDone\n", 0, PushOutcome.Confirmed)]
    [InlineData("=\tabc:refs/heads/master\t[up to date]\nDone\n", 0, PushOutcome.Confirmed)]
    [InlineData(" \tabc:refs/heads/master\tabc..def\n", 1, PushOutcome.Unknown)]
    [InlineData("!\tabc:refs/heads/master\t[rejected] (stale info)\nDone\n", 1, PushOutcome.Moved)]
    [InlineData("!\tabc:refs/heads/master\t[rejected] (fetch first)\n", 1, PushOutcome.Moved)]
    [InlineData("!\tabc:refs/heads/master\t[remote rejected] (failed to update ref)\n", 1, PushOutcome.Moved)]
    [InlineData("!\tabc:refs/heads/master\t[remote rejected] (cannot lock ref 'refs/heads/master': is at abc)\n", 1, PushOutcome.Moved)]
    [InlineData("!\tabc:refs/heads/master\t[remote rejected] (pre-receive hook declined)\n", 1, PushOutcome.Refused)]
    [InlineData("!\tabc:refs/heads/master\t[remote failure] (remote failed to report status)\n", 1, PushOutcome.Unknown)]
    [InlineData(" \tabc:refs/heads/other\tabc..def\nDone\n", 0, PushOutcome.Unknown)]
    [InlineData("", 128, PushOutcome.Unknown)]
    [InlineData("", 0, PushOutcome.Unknown)]
    [InlineData("\t\t\t\n!\n!\t\n", 1, PushOutcome.Unknown)]
    public void A_push_is_confirmed_only_by_the_remotes_own_word(string report, int exitCode, PushOutcome outcome) =>
        PushReport.Read("To /srv/index.git\n" + report, exitCode, Branch, out _).ShouldBe(outcome);

    [Fact]
    public void A_refusal_comes_with_its_reason()
    {
        PushReport.Read("!\tabc:refs/heads/master\t[remote rejected] (protected branch hook declined)\nDone", 1, Branch, out var reason);
        reason.ShouldBe("[remote rejected] (protected branch hook declined)");
    }
}
