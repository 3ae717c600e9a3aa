using System.Text;
using Pipeline.Contracts.Index;

namespace Pipeline.Contracts.Tests.Index;

public class GitBlobIdTests
{
    // Expected ids as printed by `git hash-object --stdin`.
    [Theory]
    [InlineData("", "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391")]
    [InlineData("hello\n", "ce013625030ba8dba906f756967f9e9ca394464a")]
    [InlineData("{\"name\":\"é\"}\n", "1f98b20e785543752ac8c7e0ee92b2c068469dab")]
    public void A_blob_id_is_what_git_hash_object_prints(string text, string id) =>
        GitBlobId.Of(Encoding.UTF8.GetBytes(text)).ShouldBe(id);
}
