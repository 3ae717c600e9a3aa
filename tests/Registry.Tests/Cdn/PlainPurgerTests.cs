using Pipeline.Contracts;
using Pipeline.Registry.Cdn;

namespace Pipeline.Registry.Tests.Cdn;

public sealed class PlainPurgerTests
{
    private static readonly CdnTarget Varnish = new() { Name = "v", IndexUrls = ["http://index.example/"], FileUrls = ["http://files.example/crates/"], Token = new Secret("t0ken"), SoftPurge = true };

    [Fact]
    public void A_URL_is_purged_in_place_softly_unless_it_must_be_gone()
    {
        Plan(Varnish, Purge.Url(1, "index/3/f/foo"), Purge.Url(2, "crates/foo/foo-1.0.0.crate", hard: true)).ShouldBe(
        [
            "PURGE http://index.example/3/f/foo X-Purge-Token=t0ken Soft-Purge=1",
            "PURGE http://files.example/crates/foo/foo-1.0.0.crate X-Purge-Token=t0ken",
        ]);
    }

    [Fact]
    public void Each_node_is_told_with_the_host_that_clients_ask_for()
    {
        Plan(Varnish with { Token = null, Nodes = ["http://10.0.0.1:6081", "http://10.0.0.2:6081/"] }, Purge.Url(1, "index/3/f/foo"), Purge.Key(2, "index:foo")).ShouldBe(
        [
            "PURGE http://10.0.0.1:6081/3/f/foo host=index.example Soft-Purge=1",
            "PURGE http://10.0.0.2:6081/3/f/foo host=index.example Soft-Purge=1",
            "PURGE http://10.0.0.1:6081/ host=index.example Surrogate-Key=index:foo Soft-Purge=1",
            "PURGE http://10.0.0.2:6081/ host=index.example Surrogate-Key=index:foo Soft-Purge=1",
        ]);
    }

    [Fact]
    public void Method_and_headers_are_the_caches_own()
    {
        Plan(Varnish with { Method = "BAN", TokenHeader = "X-Secret", KeyHeader = "xkey", SoftHeader = "X-Soft", FileUrls = [] }, Purge.Key(1, "index:foo"), Purge.Key(2, "index:bar", hard: true)).ShouldBe(
        [
            "BAN http://index.example/ X-Secret=t0ken xkey=index:bar",
            "BAN http://index.example/ X-Secret=t0ken xkey=index:foo X-Soft=1",
        ]);
    }

    [Fact]
    public void Keys_go_together_as_many_as_a_header_holds()
    {
        var requests = new PlainPurger(Varnish with { FileUrls = [] }).Plan(Purge.Keys(250));

        requests.Select(request => request.Items.Count).ShouldBe([100, 100, 50]);
        requests[0].Headers.Single(header => header.Name == "Surrogate-Key").Value.Split(' ').Length.ShouldBe(100);
    }

    [Theory]
    [InlineData(200, PurgeResult.Accepted)]
    [InlineData(204, PurgeResult.Accepted)]
    [InlineData(404, PurgeResult.Accepted)]
    [InlineData(302, PurgeResult.Refused)]
    [InlineData(401, PurgeResult.Refused)]
    [InlineData(403, PurgeResult.Refused)]
    [InlineData(405, PurgeResult.Refused)]
    [InlineData(501, PurgeResult.Refused)]
    [InlineData(400, PurgeResult.Unfit)]
    [InlineData(429, PurgeResult.Later)]
    [InlineData(500, PurgeResult.Later)]
    [InlineData(503, PurgeResult.Later)]
    public void An_answer_means(int status, PurgeResult result) =>
        new PlainPurger(Varnish).Judge(new PurgeRequest([Purge.Url(1, "index/3/f/foo")], "PURGE", "http://x/"), new CacheAnswer(status, null, "")).Result.ShouldBe(result);

    [Fact]
    public void A_cache_that_does_not_find_the_page_of_its_keys_does_not_know_keys() =>
        new PlainPurger(Varnish).Judge(new PurgeRequest([Purge.Key(1, "index:foo")], "PURGE", "http://x/"), new CacheAnswer(404, null, "")).Result.ShouldBe(PurgeResult.Unfit);

    private static List<string> Plan(CdnTarget target, params PurgeItem[] items) => [.. new PlainPurger(target).Plan(items).Select(request => request.Text())];
}
