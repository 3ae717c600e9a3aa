using Pipeline.Contracts;
using Pipeline.Registry.Git;

namespace Pipeline.Registry.Tests.Git;

public sealed class GitRemoteTextTests
{
    [Theory]
    [InlineData("fatal: unable to access 'https://bob:pass%20w@host/i.git/': no", "fatal: unable to access 'https://***@host/i.git/': no")]
    [InlineData("https://tok@en@host/x ssh://git@h/y https://plain/z a@b", "https://***@host/x ssh://***@h/y https://plain/z a@b")]
    [InlineData("remote: your password is pass w, or pass%20w", "remote: your password is ***, or ***")]
    [InlineData("Authorization: Basic Ym9iOnBhc3Mgdw==", "Authorization: Basic ***")]
    [InlineData("a\u001b[2Jb\u0007\nc", "a [2Jb  c")]
    [InlineData("://@", "://***@")]
    public void What_git_and_servers_say_is_cleared_of_credentials_and_of_control_characters(string said, string shown) => Remote().Clean(said).ShouldBe(shown);

    [Fact]
    public void It_is_kept_to_a_bound() => Remote().Clean(new string('x', 1 << 20)).Length.ShouldBe(1000);

    private static GitRemote Remote()
    {
        var options = new GitIndexOptions { Remote = "https://host/i.git", RemoteUser = "bob", RemotePassword = new Secret("pass w") };
        return new GitRemote(new GitProgram("git", "/tmp"), GitRemoteAddress.Of(options)!, options, "/tmp");
    }
}
