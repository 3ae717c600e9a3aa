using System.Text;
using Pipeline.Contracts.Index;

namespace Pipeline.Contracts.Tests.Index;

public class CommitMessageTests
{
    [Fact]
    public void Commit_messages_have_the_golden_words()
    {
        var messages = Enum.GetValues<IndexChange>().Select(change => CommitMessage.For("Foo-bar", change) + "\n");

        string.Concat(messages).ShouldBe(Encoding.UTF8.GetString(RepositoryFiles.Golden("commit-messages.txt")));
    }
}
