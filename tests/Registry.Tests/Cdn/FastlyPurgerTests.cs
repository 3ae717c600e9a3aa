using System.Text;
using Pipeline.Contracts;
using Pipeline.Registry.Cdn;

namespace Pipeline.Registry.Tests.Cdn;

public sealed class FastlyPurgerTests
{
    private static readonly CdnTarget Fastly = new()
    {
        Name = "f",
        Kind = CdnKind.Fastly,
        IndexUrls = ["https://index.example/", "https://fastly-index.example/"],
        FileUrls = ["https://files.example/crates/"],
        Token = new Secret("t0ken"),
        ServiceId = "SRV",
        SoftPurge = true,
        SurrogateKeys = true,
    };

    [Fact]
    public void A_URL_is_purged_on_every_domain_by_what_stands_behind_its_scheme() =>
        new FastlyPurger(Fastly).Plan([Purge.Url(1, "index/3/f/foo"), Purge.Url(2, "crates/foo/foo-1.0.0+a.crate", hard: true)]).Select(request => request.Text()).ShouldBe(
        [
            "POST https://api.fastly.com/purge/index.example/3/f/foo Accept=application/json Fastly-Key=t0ken Fastly-Soft-Purge=1",
            "POST https://api.fastly.com/purge/fastly-index.example/3/f/foo Accept=application/json Fastly-Key=t0ken Fastly-Soft-Purge=1",
            "POST https://api.fastly.com/purge/files.example/crates/foo/foo-1.0.0+a.crate Accept=application/json Fastly-Key=t0ken",
            "POST https://api.fastly.com/purge/files.example/crates/foo/foo-1.0.0%2Ba.crate Accept=application/json Fastly-Key=t0ken",
            "POST https://api.fastly.com/purge/files.example/crates/foo/foo-1.0.0%2ba.crate Accept=application/json Fastly-Key=t0ken",
        ]);

    [Fact]
    public void Keys_go_to_the_service_256_at_a_time()
    {
        var requests = new FastlyPurger(Fastly).Plan(Purge.Keys(600));

        requests.Select(request => request.Items.Count).ShouldBe([256, 256, 88]);
        requests[2].Text().ShouldBe("POST https://api.fastly.com/service/SRV/purge Accept=application/json Fastly-Key=t0ken Fastly-Soft-Purge=1");
        Encoding.UTF8.GetString(new FastlyPurger(Fastly).Plan([Purge.Key(1, "index:a"), Purge.Key(2, "index:b"), Purge.Key(3, "index:a")])[0].Body!).ShouldBe("""{"surrogate_keys":["index:a","index:b"]}""");
    }

    [Theory]
    [InlineData(200, false, PurgeResult.Accepted)]
    [InlineData(401, false, PurgeResult.Refused)]
    [InlineData(403, true, PurgeResult.Refused)]
    [InlineData(404, true, PurgeResult.Refused)]
    [InlineData(404, false, PurgeResult.Unfit)]
    [InlineData(400, true, PurgeResult.Unfit)]
    [InlineData(429, true, PurgeResult.Later)]
    [InlineData(502, true, PurgeResult.Later)]
    public void An_answer_means(int status, bool key, PurgeResult result) => new FastlyPurger(Fastly)
        .Judge(new PurgeRequest([key ? Purge.Key(1, "index:foo") : Purge.Url(1, "index/3/f/foo")], "POST", "http://x/"), new CacheAnswer(status, TimeSpan.FromSeconds(7), "")).Result.ShouldBe(result);
}
