using System.Text;
using System.Xml.Linq;
using Pipeline.Contracts;
using Pipeline.Registry.Cdn;

namespace Pipeline.Registry.Tests.Cdn;

public sealed class CloudFrontPurgerTests
{
    private static readonly XNamespace Space = "http://cloudfront.amazonaws.com/doc/2020-05-31/";
    private static readonly CdnTarget CloudFront = new()
    {
        Name = "c",
        Kind = CdnKind.CloudFront,
        IndexUrls = ["https://index.example/", "https://other.example/"],
        FileUrls = ["https://index.example/crates/"],
        DistributionId = "EDFDVBD6EXAMPLE",
        AccessKey = "AKID",
        SecretKey = new Secret("s3cret"),
    };

    [Fact]
    public void Paths_are_listed_once_in_every_spelling_and_keys_with_a_number_sign()
    {
        var request = Plan(Purge.Url(7, "index/3/f/foo"), Purge.Url(8, "crates/foo/foo-1.0.0+a.crate"), Purge.Key(9, "index:foo"), Purge.Url(10, "index/3/f/foo")).Single();

        request.Text().ShouldBe("POST https://cloudfront.amazonaws.com/2020-05-31/distribution/EDFDVBD6EXAMPLE/invalidation");
        request.ContentType.ShouldBe("application/xml");
        Paths(request).ShouldBe(["/3/f/foo", "/crates/foo/foo-1.0.0+a.crate", "/crates/foo/foo-1.0.0%2Ba.crate", "/crates/foo/foo-1.0.0%2ba.crate", "#index:foo"]);
        Batch(request).Element(Space + "Paths")!.Element(Space + "Quantity")!.Value.ShouldBe("5");
    }

    [Fact]
    public void A_call_holds_at_most_a_thousand_paths()
    {
        var requests = Plan([.. Enumerable.Range(1, 2500).Select(i => Purge.Url(i, $"index/fo/o{i % 10}/foo{i}"))]);

        requests.Select(request => Paths(request).Count).ShouldBe([1000, 1000, 500]);
        requests.Select(Reference).Distinct().Count().ShouldBe(3);
    }

    [Fact]
    public void The_same_rows_have_the_same_reference_and_others_for_the_same_path_another()
    {
        Reference(Plan(Purge.Url(7, "index/3/f/foo")).Single()).ShouldBe(Reference(Plan(Purge.Url(7, "index/3/f/foo")).Single()));
        Reference(Plan(Purge.Url(7, "index/3/f/foo")).Single()).ShouldNotBe(Reference(Plan(Purge.Url(8, "index/3/f/foo")).Single()));
    }

    [Theory]
    [InlineData(201, "", PurgeResult.Accepted, "", null)]
    [InlineData(400, "TooManyInvalidationsInProgress", PurgeResult.Later, "cdn-too-many", 30)]
    [InlineData(400, "Throttling", PurgeResult.Later, "cdn-busy", 5)]
    [InlineData(400, "InvalidArgument", PurgeResult.Unfit, "cdn-request", null)]
    [InlineData(403, "SignatureDoesNotMatch", PurgeResult.Refused, "cdn-credentials", null)]
    [InlineData(404, "NoSuchDistribution", PurgeResult.Refused, "cdn-unknown-distribution", null)]
    [InlineData(503, "ServiceUnavailable", PurgeResult.Later, "cdn-away", 5)]
    public void An_answer_means(int status, string error, PurgeResult result, string code, int? seconds)
    {
        var body = $"""<?xml version="1.0"?><ErrorResponse xmlns="{Space}"><Error><Type>Sender</Type><Code>{error}</Code><Message>m</Message></Error></ErrorResponse>""";
        var verdict = new CloudFrontPurger(CloudFront).Judge(Plan(Purge.Url(7, "index/3/f/foo")).Single(), new CacheAnswer(status, TimeSpan.FromSeconds(5), body));

        (verdict.Result, verdict.Code, verdict.Wait?.TotalSeconds).ShouldBe((result, code, seconds));
    }

    [Theory]
    [InlineData("")]
    [InlineData("<html>")]
    [InlineData("""<!DOCTYPE x [<!ENTITY a "b">]><E><Code>&a;</Code></E>""")]
    [InlineData("<E><Code>not a word, but <b/> s3cret</Code></E>")]
    public void An_answer_that_is_no_error_of_theirs_is_judged_by_its_status_and_not_quoted(string body) =>
        new CloudFrontPurger(CloudFront).Judge(Plan(Purge.Url(7, "index/3/f/foo")).Single(), new CacheAnswer(400, null, body)).Text.ShouldBe("CloudFront refuses the invalidation (400)");

    private static IReadOnlyList<PurgeRequest> Plan(params PurgeItem[] items) => new CloudFrontPurger(CloudFront).Plan(items);

    private static XElement Batch(PurgeRequest request) => XDocument.Parse(Encoding.UTF8.GetString(request.Body!)).Root!;

    private static List<string> Paths(PurgeRequest request) => [.. Batch(request).Descendants(Space + "Path").Select(path => path.Value)];

    private static string Reference(PurgeRequest request) => Batch(request).Element(Space + "CallerReference")!.Value;
}
