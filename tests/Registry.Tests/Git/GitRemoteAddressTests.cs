using Pipeline.Contracts;
using Pipeline.Registry.Git;

namespace Pipeline.Registry.Tests.Git;

public sealed class GitRemoteAddressTests
{
    private static readonly string Here = typeof(GitRemoteAddressTests).Assembly.Location;

    [Theory]
    [InlineData("/srv/index.git", GitTransport.File, "")]
    [InlineData("file:///srv/index.git", GitTransport.File, "")]
    [InlineData("ssh://git@host.example:2222/srv/index.git", GitTransport.Ssh, "host.example:2222")]
    [InlineData("https://host.example/index.git", GitTransport.Http, "host.example")]
    [InlineData("https://Host.example:443/index.git", GitTransport.Http, "Host.example:443")]
    [InlineData("http://127.0.0.1:8080/index.git", GitTransport.Http, "127.0.0.1:8080")]
    public void A_remote_is_a_path_or_a_url(string remote, GitTransport transport, string host) =>
        GitRemoteAddress.Of(Options(remote)).ShouldBe(new GitRemoteAddress(remote, transport, host, "refs/heads/master"));

    [Fact]
    public void There_need_be_none() => GitRemoteAddress.Of(new GitIndexOptions()).ShouldBeNull();

    [Theory]
    [InlineData("index.git", "GitIndex:Remote")]
    [InlineData("-oProxyCommand=x", "GitIndex:Remote")]
    [InlineData("ext::sh -c x", "GitIndex:Remote")]
    [InlineData("git://host/index.git", "GitIndex:Remote")]
    [InlineData("git@host:index.git", "GitIndex:Remote")]
    [InlineData("http://host.example/index.git", "GitIndex:Remote")]
    [InlineData("file://host/index.git", "GitIndex:Remote")]
    [InlineData("https://user:word@host/index.git", "GitIndex:RemotePassword")]
    [InlineData("ssh://user:word@host/index.git", "GitIndex:RemotePassword")]
    [InlineData("https://user@host/index.git", "GitIndex:RemoteUser")]
    [InlineData("ssh://-oProxyCommand=x/index.git", "GitIndex:Remote")]
    [InlineData("ssh://-l@host/index.git", "GitIndex:Remote")]
    [InlineData("https://host/index.git\n", "GitIndex:Remote")]
    [InlineData("/srv/in dex.git", "GitIndex:Remote")]
    public void Anything_else_stops_the_start_with_the_key_and_without_the_value(string remote, string key)
    {
        var refused = Should.Throw<InvalidOperationException>(() => GitRemoteAddress.Of(Options(remote)));
        refused.Message.ShouldContain(key);
        refused.Message.ShouldNotContain("word@");
        refused.Message.ShouldNotContain(":word");
    }

    [Theory]
    [InlineData("")]
    [InlineData("-d")]
    [InlineData("a..b")]
    [InlineData("a b")]
    [InlineData("a:b")]
    [InlineData("a.lock")]
    [InlineData("a//b")]
    [InlineData("a/.b")]
    [InlineData("+a")]
    public void A_branch_that_cannot_be_one_is_refused(string branch) =>
        Should.Throw<InvalidOperationException>(() => GitRemoteAddress.Of(Options("/srv/index.git") with { RemoteBranch = branch })).Message.ShouldContain("GitIndex:RemoteBranch");

    [Fact]
    public void What_a_transport_needs_is_asked_for_by_its_key()
    {
        Missing(Options("ssh://host/i.git") with { SshKeyFile = null }).ShouldContain("GitIndex:SshKeyFile");
        Missing(Options("ssh://host/i.git") with { SshKnownHosts = null }).ShouldContain("GitIndex:SshKnownHosts");
        Missing(Options("ssh://host/i.git") with { SshKnownHosts = "/no/such/file" }).ShouldContain("GitIndex:SshKnownHosts");
        Missing(Options("ssh://host/i.git") with { SshKeyFile = "/tmp/$(id)" }).ShouldContain("GitIndex:SshKeyFile");
        Missing(Options("https://host/i.git") with { RemotePassword = new Secret("p"), RemoteUser = null }).ShouldContain("GitIndex:RemoteUser");
        Missing(Options("https://host/i.git") with { RemoteCaFile = "/no/such/file" }).ShouldContain("GitIndex:RemoteCaFile");
    }

    private static string Missing(GitIndexOptions options) => Should.Throw<InvalidOperationException>(() => GitRemoteAddress.Of(options)).Message;

    private static GitIndexOptions Options(string remote) => new() { Remote = remote, SshKeyFile = Here, SshKnownHosts = Here };
}
