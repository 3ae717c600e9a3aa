using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Pipeline.Registry.Cdn;
using Pipeline.Registry.Options;
using Pipeline.Registry.Store;

namespace Pipeline.Api.Tests.Index;

public class SparseIndexTests
{
    private const string Line = """{"name":"alpha-x","vers":"1.0.0","deps":[],"cksum":"00","features":{},"yanked":false}""";

    private static readonly string Content = string.Concat(Enumerable.Repeat(Line + "\n", 20));

    [Fact]
    public async Task An_index_file_is_served_byte_for_byte_with_a_strong_tag_and_must_be_revalidated()
    {
        await using var fixture = await SeedAsync();
        var answer = await fixture.GetAsync("/index/al/ph/alpha-x");
        answer.Status.ShouldBe(200);
        answer.Text.ShouldBe(Content);
        answer.Headers["Content-Type"].ShouldBe("text/plain");
        answer.Headers["ETag"].ShouldBe(Tag(Content));
        answer.Headers["Cache-Control"].ShouldBe("public, no-cache");
        answer.Headers["Vary"].ShouldBe("accept-encoding");
        answer.Headers["X-Content-Type-Options"].ShouldBe("nosniff");
        answer.Headers.ShouldNotContainKey("Content-Encoding");
    }

    [Fact]
    public async Task HEAD_has_the_same_head_and_no_body()
    {
        await using var fixture = await SeedAsync();
        var head = await fixture.SendAsync("HEAD", "/index/al/ph/alpha-x");
        var get = await fixture.GetAsync("/index/al/ph/alpha-x");
        head.Body.ShouldBeEmpty();
        head.Headers.ShouldBe(get.Headers);
    }

    [Theory]
    [InlineData("gzip", true)]
    [InlineData("deflate, gzip", true)]
    [InlineData("br;q=1.0, GZIP;q=0.5", true)]
    [InlineData("gzip;q=0", false)]
    [InlineData("gzip;q=0.000, identity", false)]
    [InlineData("gzip;q=x", false)]
    [InlineData("deflate, x-gzip2", false)]
    [InlineData("", false)]
    public async Task Gzip_is_sent_to_who_takes_it_under_a_tag_of_its_own(string accept, bool zipped)
    {
        await using var fixture = await SeedAsync();
        var answer = await fixture.GetAsync("/index/al/ph/alpha-x", null, ("Accept-Encoding", accept));
        answer.Headers.ContainsKey("Content-Encoding").ShouldBe(zipped);
        answer.Headers["ETag"].ShouldBe(zipped ? Tag(Content).TrimEnd('"') + "-gzip\"" : Tag(Content));
        (zipped ? Unzip(answer.Body) : answer.Text).ShouldBe(Content);
        answer.Headers["Vary"].ShouldBe("accept-encoding");
    }

    [Fact]
    public async Task A_file_that_gzip_would_hardly_shorten_is_sent_as_it_is()
    {
        await using var fixture = await SeedAsync("short\n");
        (await fixture.GetAsync("/index/al/ph/alpha-x", null, ("Accept-Encoding", "gzip"))).Text.ShouldBe("short\n");
    }

    [Theory]
    [InlineData("{tag}", 304)]
    [InlineData("W/{tag}", 304)]
    [InlineData("\"other\", {tag}", 304)]
    [InlineData("{zipped}", 304)]
    [InlineData("*", 304)]
    [InlineData("\"other\"", 200)]
    [InlineData("nonsense", 200)]
    public async Task A_known_tag_is_answered_without_a_body(string known, int status)
    {
        await using var fixture = await SeedAsync();
        var tag = Tag(Content);
        var header = known.Replace("{tag}", tag, StringComparison.Ordinal).Replace("{zipped}", tag.TrimEnd('"') + "-gzip\"", StringComparison.Ordinal);
        var answer = await fixture.GetAsync("/index/al/ph/alpha-x", null, ("If-None-Match", header));
        answer.Status.ShouldBe(status);
        if (status != 304) return;
        answer.Body.ShouldBeEmpty();
        answer.Headers["ETag"].ShouldBe(known == "{zipped}" ? header : tag);
        answer.Headers["Cache-Control"].ShouldBe("public, no-cache");
        answer.Headers["Vary"].ShouldBe("accept-encoding");
    }

    [Fact]
    public async Task A_date_counts_when_there_is_no_tag_and_is_given_only_when_it_can_tell_contents_apart()
    {
        await using var fixture = await SeedAsync();
        fixture.Clock.Set(DateTimeOffset.UtcNow);
        (await fixture.GetAsync("/index/al/ph/alpha-x")).Headers.ShouldNotContainKey("Last-Modified");
        fixture.Clock.Set(DateTimeOffset.UtcNow.AddSeconds(10));
        var modified = (await fixture.GetAsync("/index/al/ph/alpha-x")).Headers["Last-Modified"];
        (await fixture.GetAsync("/index/al/ph/alpha-x", null, ("If-Modified-Since", modified))).Status.ShouldBe(304);
        (await fixture.GetAsync("/index/al/ph/alpha-x", null, ("If-Modified-Since", "Thu, 01 Jan 1970 00:00:00 GMT"))).Status.ShouldBe(200);
        (await fixture.GetAsync("/index/al/ph/alpha-x", null, ("If-Modified-Since", "yesterday"))).Status.ShouldBe(200);
        (await fixture.GetAsync("/index/al/ph/alpha-x", null, ("If-Modified-Since", modified), ("If-None-Match", "\"other\""))).Status.ShouldBe(200);
    }

    [Fact]
    public async Task A_file_rewritten_by_another_process_is_seen_by_the_next_request_whatever_its_size_and_time()
    {
        await using var fixture = await SeedAsync();
        var before = await fixture.GetAsync("/index/al/ph/alpha-x");
        // Same length and same time: only the file itself is another.
        var path = Path.Combine(fixture.Temp.Folder, "objects", "index", "al", "ph", "alpha-x");
        var time = File.GetLastWriteTimeUtc(path);
        var changed = Content.Replace("1.0.0", "1.0.1", StringComparison.Ordinal);
        await new FolderStore(Path.Combine(fixture.Temp.Folder, "objects")).PutAsync("index/al/ph/alpha-x", Encoding.UTF8.GetBytes(changed), TestContext.Current.CancellationToken);
        File.SetLastWriteTimeUtc(path, time);

        var after = await fixture.GetAsync("/index/al/ph/alpha-x", null, ("If-None-Match", before.Headers["ETag"]));
        after.Status.ShouldBe(200);
        after.Text.ShouldBe(changed);

        await fixture.Store.DeleteAsync("index/al/ph/alpha-x", TestContext.Current.CancellationToken);
        (await fixture.GetAsync("/index/al/ph/alpha-x")).Status.ShouldBe(404);
    }

    [Theory]
    [InlineData("/index/al/ph/alpha-y")]
    [InlineData("/index/al/ph/Alpha-X")]
    [InlineData("/index/AL/PH/alpha-x")]
    [InlineData("/index/xx/ph/alpha-x")]
    [InlineData("/index/alpha-x")]
    [InlineData("/index/al/ph/alpha-x/")]
    [InlineData("/index/al/ph/../ph/alpha-x%2f")]
    [InlineData("/index/..%2f..%2fregistry.db")]
    [InlineData("/index/")]
    [InlineData("/index/Config.json")]
    public async Task What_is_no_index_file_is_not_there_and_is_not_to_be_kept(string path)
    {
        await using var fixture = await SeedAsync();
        var answer = await fixture.GetAsync(path);
        answer.ShouldFail(404, "Not Found");
        answer.Headers["Cache-Control"].ShouldBe("no-store");
    }

    [Fact]
    public async Task Nothing_but_reading_is_done_to_the_index()
    {
        await using var fixture = await SeedAsync();
        var answer = await fixture.SendAsync("PUT", "/index/al/ph/alpha-x", null, "{}");
        answer.ShouldFail(405, "Method Not Allowed");
        answer.Headers["Allow"].ShouldBe("GET, HEAD");
    }

    [Theory]
    [InlineData("https://crates.example", false)]
    [InlineData("https://crates.example/base", true)]
    public async Task The_configuration_tells_cargo_where_everything_is(string url, bool authRequired)
    {
        await using var fixture = await ApiFixture.CreateAsync(new RegistryOptions { PublicUrl = url, AuthRequired = authRequired });
        var answer = await fixture.GetAsync("/index/config.json", authRequired ? await fixture.TokenAsync("ann") : null);
        answer.Status.ShouldBe(200);
        answer.Json.GetProperty("dl").GetString().ShouldBe(url + "/crates/{crate}/{crate}-{version}.crate");
        answer.Json.GetProperty("api").GetString().ShouldBe(url);
        answer.Json.TryGetProperty("auth-required", out var required).ShouldBe(authRequired);
        if (authRequired) required.GetBoolean().ShouldBeTrue();
        answer.Headers["Cache-Control"].ShouldBe(authRequired ? "private, no-cache" : "public, no-cache");
    }

    [Fact]
    public async Task Reading_goes_on_while_the_database_is_away()
    {
        await using var fixture = await SeedAsync();
        await fixture.Temp.CloseAsync();
        (await fixture.GetAsync("/index/al/ph/alpha-x")).Text.ShouldBe(Content);
    }

    [Fact]
    public async Task A_cache_that_is_purged_may_keep_a_file_and_is_told_the_key_to_purge_it_by()
    {
        await using var fixture = await SeedAsync(cdn: Purged);
        var answer = await fixture.GetAsync("/index/al/ph/alpha-x");
        answer.Headers["Cache-Control"].ShouldBe("public, max-age=0, s-maxage=60");
        answer.Headers["Surrogate-Key"].ShouldBe("index:alpha-x");
        var config = await fixture.GetAsync("/index/config.json");
        config.Headers["Cache-Control"].ShouldBe("public, max-age=0, s-maxage=60");
        config.Headers.ShouldNotContainKey("Surrogate-Key");
        (await fixture.GetAsync("/index/al/ph/alpha-y")).Headers["Cache-Control"].ShouldBe("no-store");
    }

    [Fact]
    public async Task What_needs_a_token_may_be_kept_by_no_shared_cache()
    {
        await using var fixture = await ApiFixture.CreateAsync(new RegistryOptions { PublicUrl = "https://crates.example", AuthRequired = true }, change: services => services.AddSingleton(Purged));
        var token = await fixture.TokenAsync("ann");
        (await fixture.GetAsync("/index/config.json", token)).Headers["Cache-Control"].ShouldBe("private, no-cache");
    }

    private static CdnOptions Purged => new() { IndexSeconds = 60, Targets = [new CdnTarget { Name = "edge", IndexUrls = ["http://edge.example/"], SurrogateKeys = true }] };

    private static string Tag(string content) => $"\"{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(content)))[..32]}\"";

    private static string Unzip(byte[] bytes)
    {
        using var gzip = new GZipStream(new MemoryStream(bytes), CompressionMode.Decompress);
        using var reader = new StreamReader(gzip);
        return reader.ReadToEnd();
    }

    private static async Task<ApiFixture> SeedAsync(string? content = null, CdnOptions? cdn = null)
    {
        var fixture = await ApiFixture.CreateAsync(change: services => services.AddSingleton(cdn ?? new CdnOptions()));
        await fixture.Store.PutAsync(StoreKeys.SparseFile("al/ph/alpha-x"), Encoding.UTF8.GetBytes(content ?? Content), TestContext.Current.CancellationToken);
        return fixture;
    }
}
