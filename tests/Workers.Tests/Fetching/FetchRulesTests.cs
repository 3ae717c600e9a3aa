using Pipeline.Workers.Fetching;

namespace Pipeline.Workers.Tests.Fetching;

/// <summary>The fetcher's decisions.</summary>
public sealed class FetchRulesTests
{
    private static readonly Uri Asked = new("https://files.example/a/b");

    [Theory]
    [InlineData(200, null, true)]
    [InlineData(200, 1000L, true)]
    [InlineData(200, 1001L, false)]
    [InlineData(206, null, false)]
    [InlineData(204, null, false)]
    public void A_body_is_taken_from_a_200_that_is_not_too_long(int status, long? length, bool taken) =>
        (FetchRules.Judge(status, null, Asked, 0, length, 1000) is { Next: null, Trouble: null }).ShouldBe(taken);

    [Theory]
    [InlineData(400, true)]
    [InlineData(401, true)]
    [InlineData(403, true)]
    [InlineData(404, true)]
    [InlineData(410, true)]
    [InlineData(451, true)]
    [InlineData(408, false)]
    [InlineData(425, false)]
    [InlineData(429, false)]
    [InlineData(500, false)]
    [InlineData(502, false)]
    [InlineData(503, false)]
    [InlineData(504, false)]
    public void What_will_not_change_by_itself_is_final(int status, bool final) => FetchRules.Judge(status, null, Asked, 0, null, 1000).Trouble!.IsFinal.ShouldBe(final);

    [Theory]
    [InlineData("/c", "https://files.example/c")]
    [InlineData("c", "https://files.example/a/c")]
    [InlineData("//cdn.example/c", "https://cdn.example/c")]
    [InlineData("http://cdn.example/c", "http://cdn.example/c")]
    public void A_redirect_is_followed_where_it_leads(string location, string next) => FetchRules.Judge(302, location, Asked, 0, null, 1000).Next.ShouldBe(new Uri(next));

    [Theory]
    [InlineData(null)]
    [InlineData("http://")]
    [InlineData("file:///etc/passwd")]
    [InlineData("gopher://x/")]
    [InlineData("https://me:word@x/")]
    public void A_redirect_to_an_odd_place_is_final(string? location) => FetchRules.Judge(307, location, Asked, 0, null, 1000).Trouble.ShouldBe(
        new FileTrouble("odd-redirect", FetchRules.Judge(307, location, Asked, 0, null, 1000).Trouble!.Text, IsFinal: true));

    [Fact]
    public void Redirects_end()
    {
        FetchRules.Judge(301, "/c", Asked, FetchRules.MostRedirects - 1, null, 1000).Next.ShouldNotBeNull();
        FetchRules.Judge(301, "/c", Asked, FetchRules.MostRedirects, null, 1000).Trouble!.Code.ShouldBe("too-many-redirects");
    }

    [Fact]
    public void Waits_double_up_to_an_hour_and_an_upstream_is_held_after_a_few_failures()
    {
        Enumerable.Range(1, 4).Select(static attempts => FetchRules.Wait(attempts, 0.5).TotalSeconds).ShouldBe([5, 10, 20, 40]);
        FetchRules.Wait(1000, 0.5).TotalSeconds.ShouldBe(3600);
        FetchRules.Wait(1, 0).ShouldBeLessThan(FetchRules.Wait(1, 1));
        FetchRules.Hold(7).ShouldBe(TimeSpan.Zero);
        FetchRules.Hold(8).TotalSeconds.ShouldBe(5);
        FetchRules.Hold(1000).TotalSeconds.ShouldBe(600);
    }

    [Theory]
    [InlineData("2020-01-01T00:00:00Z", 5, 7, 1577836800000000)]
    [InlineData(null, 100, 0, 100)]
    [InlineData(null, 100, 3, 97)]
    [InlineData("yesterday", 100, 3, 97)]
    [InlineData("9999-12-31T00:00:00Z", 100, 0, 253402214400000000)]
    [InlineData("0001-01-01T00:00:00Z", 100, 0, 1)]
    [InlineData(null, 1, 50, 1)]
    public void The_newest_has_the_highest_turn(string? publishedAt, long updatedAt, int newer, long turn) => FetchOrder.Turn(publishedAt, updatedAt, newer).ShouldBe(turn);
}
