using System.Text;
using Pipeline.Contracts;
using Pipeline.Registry.Cdn;

namespace Pipeline.Registry.Tests.Cdn;

/// <summary>The published test vectors of Signature Version 4: one key, one time, one region, service <c>service</c>.</summary>
public sealed class AwsSignatureTests
{
    private static readonly DateTimeOffset Time = new(2015, 8, 30, 12, 36, 0, TimeSpan.Zero);
    private static readonly AwsCredentials Credentials = new("AKIDEXAMPLE", new Secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"));

    [Theory]
    [InlineData("get-vanilla", "GET", "https://example.amazonaws.com/", "", "", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31")]
    [InlineData("get-vanilla-query-order-key-case", "GET", "https://example.amazonaws.com/?Param2=value2&Param1=value1", "", "", "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500")]
    [InlineData("post-vanilla", "POST", "https://example.amazonaws.com/", "", "", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b")]
    [InlineData("post-x-www-form-urlencoded", "POST", "https://example.amazonaws.com/", "content-type:application/x-www-form-urlencoded", "Param1=value1", "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a")]
    public void Published_requests_get_their_published_signatures(string name, string method, string url, string header, string body, string signature)
    {
        var headers = header.Length == 0 ? [] : new[] { (header.Split(':')[0], header.Split(':')[1]) };

        var authorization = AwsSignature.Headers(Credentials, "us-east-1", "service", method, new Uri(url), headers, Encoding.UTF8.GetBytes(body), Time)[^1].Value;

        authorization[^64..].ShouldBe(signature, name);
    }

    [Fact]
    public void The_documented_example_of_a_signed_request_comes_out_whole()
    {
        var headers = AwsSignature.Headers(
            Credentials, "us-east-1", "iam", "GET", new Uri("https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08"),
            [("content-type", "application/x-www-form-urlencoded; charset=utf-8")], [], Time);

        headers.ShouldBe(
        [
            ("X-Amz-Date", "20150830T123600Z"),
            ("Authorization", "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, SignedHeaders=content-type;host;x-amz-date, "
                + "Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"),
        ]);
    }

    [Fact]
    public void A_session_token_is_sent_and_signed()
    {
        var headers = AwsSignature.Headers(Credentials with { SessionToken = new Secret("session") }, "us-east-1", "service", "GET", new Uri("https://example.amazonaws.com/"), [], [], Time);

        headers.ShouldContain(("X-Amz-Security-Token", "session"));
        headers[^1].Value.ShouldContain("SignedHeaders=host;x-amz-date;x-amz-security-token,");
    }
}
