using static Pipeline.Workers.Tests.Manifests.SomeManifest;

namespace Pipeline.Workers.Tests.Manifests;

/// <summary>What the WHATWG URL standard takes and refuses, each checked against a browser's engine; seen through the homepage field.</summary>
public class HttpUrlTests
{
    [Theory]
    [InlineData("https://example.com")]
    [InlineData("https://example.com:")]
    [InlineData("https://example.com:65535/a b?<>#`")]
    [InlineData("https://example.com/%zz")]
    [InlineData("http:////example.com")]
    [InlineData("http://\\example.com\\a")]
    [InlineData("https://user:p@ss@example.com")]
    [InlineData("https://:@example.com")]
    [InlineData("https://exam\nple.com ")]
    [InlineData("https://a..b")]
    [InlineData("https://.")]
    [InlineData("https://foo_bar-.example")]
    [InlineData("https://EXAMPLE.com")]
    [InlineData("https://%65xample.com")]
    [InlineData("https://bücher.example")]
    [InlineData("https://☃.example")]
    [InlineData("https://例え。テスト")]
    [InlineData("https://xn--bcher-kva.example")]
    [InlineData("http://127.0.0.1:8080/x")]
    [InlineData("http://0x7f.1")]
    [InlineData("http://4294967295")]
    [InlineData("http://1.2.3")]
    [InlineData("http://0x.0x.0")]
    [InlineData("http://[::1]:80/")]
    [InlineData("http://[2001:db8::ffff:1.2.3.4]")]
    public void A_URL_that_a_browser_reads_is_valid(string url) => RejectTextOf(Valid with { Homepage = url }).ShouldBeNull();

    [Theory]
    [InlineData("https://")]
    [InlineData("https:///")]
    [InlineData("https://?q")]
    [InlineData("https://#f")]
    [InlineData("https://:80")]
    [InlineData("https://user@")]
    [InlineData("https://user@/x")]
    [InlineData("https://example.com:65536")]
    [InlineData("https://example.com:99999999999999999999")]
    [InlineData("https://example.com:a")]
    [InlineData("https://example.com:80:80")]
    [InlineData("https://exa mple.com")]
    [InlineData("https://exa<mple.com")]
    [InlineData("https://exa|mple.com")]
    [InlineData("https://exa^mple.com")]
    [InlineData("https://exa%mple.com")]
    [InlineData("https://exa%20mple.com")]
    [InlineData("https://exa%2Fmple.com")]
    [InlineData("https://%FF.com")]
    [InlineData("https://exa／mple.com")]
    [InlineData("https://a\u00A0b")]
    [InlineData("https://\uE000.com")]
    [InlineData("https://\u00AD")]
    [InlineData("https://xn--")]
    [InlineData("https://xn--a")]
    [InlineData("https://a.xn--0.com")]
    [InlineData("http://256.1.1.1")]
    [InlineData("http://1.2.3.4.5")]
    [InlineData("http://4294967296")]
    [InlineData("http://1.2.3.08")]
    [InlineData("http://a.1")]
    [InlineData("http://a.0x1f.")]
    [InlineData("http://[::1")]
    [InlineData("http://[::1]a")]
    [InlineData("http://[]")]
    [InlineData("http://[1.2.3.4]")]
    [InlineData("http://[::1%25eth0]")]
    [InlineData("http://[1:2:3:4:5:6:7:8:9]")]
    public void A_URL_that_a_browser_refuses_is_not(string url) =>
        RejectTextOf(Valid with { Homepage = url }).ShouldBe($"`homepage` is not a valid url: `{url}`");

    [Fact]
    public void A_long_URL_takes_no_long_time()
    {
        // Linear in its length: a quadratic check would take minutes here.
        var many = new string('.', 2_000_000);
        RejectTextOf(Valid with { Homepage = $"https://xn--ls8h{many}a" }).ShouldBeNull();
        RejectTextOf(Valid with { Homepage = $"https://xn--{new string('a', 2_000_000)}" }).ShouldNotBeNull();
        RejectTextOf(Valid with { Homepage = $"https://{new string('@', 2_000_000)}" }).ShouldNotBeNull();
    }
}
