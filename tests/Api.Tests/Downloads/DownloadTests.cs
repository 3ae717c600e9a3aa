using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Pipeline.Contracts;
using Pipeline.Registry.Cdn;
using Pipeline.Registry.Identity;
using Pipeline.Registry.Truth;

namespace Pipeline.Api.Tests.Downloads;

public class DownloadTests
{
    private const string Path = "/crates/Foo/Foo-1.0.0%2Bmeta.crate";
    private const string Content = "the bytes of Foo 1.0.0+meta";

    private static readonly string Tag = $"\"{Checksum.OfContent(Encoding.UTF8.GetBytes(Content))}\"";

    [Theory]
    [InlineData("/crates/Foo/Foo-1.0.0%2Bmeta.crate")]
    [InlineData("/crates/Foo/Foo-1.0.0+meta.crate")]
    public async Task A_file_is_served_whole_and_may_be_kept_for_good(string path)
    {
        await using var fixture = await SeedAsync();
        var answer = await fixture.GetAsync(path, null, ("Accept-Encoding", "gzip"));
        answer.Status.ShouldBe(200);
        answer.Text.ShouldBe(Content);
        answer.Headers["Content-Length"].ShouldBe("27");
        answer.Headers["Content-Type"].ShouldBe("application/gzip");
        answer.Headers["Cache-Control"].ShouldBe("public,max-age=31536000,immutable");
        answer.Headers["ETag"].ShouldBe(Tag);
        answer.Headers["Accept-Ranges"].ShouldBe("bytes");
        answer.Headers.ShouldNotContainKey("Content-Encoding");
    }

    [Fact]
    public async Task A_cache_is_told_the_keys_to_purge_a_file_by()
    {
        await using var fixture = await SeedAsync(new CdnOptions { Targets = [new CdnTarget { Name = "edge", FileUrls = ["http://edge.example/"], SurrogateKeys = true }] });
        (await fixture.GetAsync(Path)).Headers["Surrogate-Key"].ShouldBe("crate:Foo release:Foo@1.0.0+meta");
    }

    [Theory]
    [InlineData("bytes=4-8", null, 206, "bytes")]
    [InlineData("bytes=-4", null, 206, "meta")]
    [InlineData("bytes=20-", null, 206, ".0+meta")]
    [InlineData("bytes=4-8", "{tag}", 206, "bytes")]
    [InlineData("bytes=4-8", "\"other\"", 200, Content)]
    [InlineData("bytes=100-", null, 416, "")]
    [InlineData("lines=1-2", null, 200, Content)]
    public async Task A_range_is_served_when_it_is_one_and_the_file_is_still_the_same(string range, string? ifRange, int status, string content)
    {
        await using var fixture = await SeedAsync();
        (string, string)[] headers = ifRange is null ? [("Range", range)] : [("Range", range), ("If-Range", ifRange.Replace("{tag}", Tag, StringComparison.Ordinal))];
        var answer = await fixture.GetAsync(Path, null, headers);
        answer.Status.ShouldBe(status);
        answer.Text.ShouldBe(content);
    }

    [Fact]
    public async Task HEAD_and_a_known_tag_have_no_body()
    {
        await using var fixture = await SeedAsync();
        var head = await fixture.SendAsync("HEAD", Path);
        (head.Status, head.Body.Length, head.Headers["Content-Length"], head.Headers["ETag"]).ShouldBe((200, 0, "27", Tag));
        var known = await fixture.GetAsync(Path, null, ("If-None-Match", Tag));
        (known.Status, known.Body.Length).ShouldBe((304, 0));
    }

    [Theory]
    [InlineData("bytes=4-8", "bytes 4-8/27", "5")]
    [InlineData("bytes=-4", "bytes 23-26/27", "4")]
    [InlineData("bytes=0-", "bytes 0-26/27", "27")]
    [InlineData("bytes=20-99", "bytes 20-26/27", "7")]
    [InlineData("bytes=27-", "bytes */27", "0")]
    [InlineData("bytes=-0", "bytes */27", "0")]
    [InlineData("bytes=0-1,3-4", null, "27")]
    [InlineData("bytes=8-4", null, "27")]
    [InlineData("bytes=x", null, "27")]
    public async Task A_range_says_where_it_lies_and_how_long_it_is(string range, string? contentRange, string length)
    {
        await using var fixture = await SeedAsync();
        var answer = await fixture.GetAsync(Path, null, ("Range", range));
        (answer.Headers.GetValueOrDefault("Content-Range"), answer.Headers["Content-Length"]).ShouldBe((contentRange, length));
        answer.Headers["ETag"].ShouldBe(Tag);
        answer.Headers.ShouldNotContainKey("Content-Encoding");
    }

    [Theory]
    [InlineData("If-Match", "\"other\"", 412)]
    [InlineData("If-Match", "{tag}", 200)]
    [InlineData("If-Match", "W/{tag}", 412)]
    [InlineData("If-Match", "*", 200)]
    [InlineData("If-None-Match", "W/{tag}, \"other\"", 304)]
    [InlineData("If-None-Match", "\"other\"", 200)]
    [InlineData("If-None-Match", "*", 304)]
    [InlineData("If-Modified-Since", "Fri, 01 Jan 2100 00:00:00 GMT", 304)]
    [InlineData("If-Modified-Since", "Fri, 01 Jan 2010 00:00:00 GMT", 200)]
    [InlineData("If-Modified-Since", "yesterday", 200)]
    public async Task Conditions_are_held_against_the_tag_and_the_time(string header, string value, int status)
    {
        await using var fixture = await SeedAsync();
        (await fixture.GetAsync(Path, null, (header, value.Replace("{tag}", Tag, StringComparison.Ordinal)))).Status.ShouldBe(status);
    }

    [Fact]
    public async Task A_HEAD_ignores_a_range()
    {
        await using var fixture = await SeedAsync();
        var head = await fixture.SendAsync("HEAD", Path, null, null, ("Range", "bytes=4-8"));
        (head.Status, head.Body.Length, head.Headers["Content-Length"]).ShouldBe((200, 0, "27"));
    }

    [Theory]
    [InlineData("/crates/Foo/Foo-1.0.1.crate")]
    [InlineData("/crates/Foo/Foo-1.0.0.crate")]
    [InlineData("/crates/foo/foo-1.0.0%2Bmeta.crate")]
    [InlineData("/crates/Foo/foo-1.0.0%2Bmeta.crate")]
    [InlineData("/crates/Foo/Foo-1.0.0%2Bmeta.zip")]
    [InlineData("/crates/Foo/Foo-.crate")]
    [InlineData("/crates/Foo/Foo.crate")]
    [InlineData("/crates/Foo/..%2FFoo-1.0.0+meta.crate")]
    [InlineData("/crates/..%2F..%2Fregistry.db/x")]
    public async Task What_no_version_names_is_not_there_and_is_not_to_be_kept(string path)
    {
        await using var fixture = await SeedAsync();
        var answer = await fixture.GetAsync(path);
        answer.Status.ShouldBe(404);
        answer.Error.ShouldNotBeEmpty();
        answer.Headers["Cache-Control"].ShouldBe("no-store");
    }

    [Fact]
    public async Task A_yanked_file_is_served_and_a_deleted_one_is_not_though_its_bytes_are_still_there()
    {
        await using var fixture = await SeedAsync();
        await fixture.SendAsync("DELETE", "/api/v1/crates/foo/1.0.0+meta/yank", await fixture.TokenAsync("ann"));
        (await fixture.GetAsync(Path)).Status.ShouldBe(200);
        await fixture.Temp.Database.WriteAsync(
            async sql => await CrateDeletion.DeleteAsync(sql, (await CrateLookup.LockCrateAsync(sql, "foo"))!, TimeSpan.FromHours(1), Actor.System, null),
            TestContext.Current.CancellationToken);
        (await fixture.GetAsync(Path)).ShouldFail(404, "there is no file `Foo-1.0.0+meta.crate` of crate `Foo`");
    }

    [Fact]
    public async Task A_version_whose_bytes_are_lost_is_not_there()
    {
        await using var fixture = await SeedAsync();
        await fixture.Store.DeleteAsync("crates/Foo/Foo-1.0.0+meta.crate", TestContext.Current.CancellationToken);
        (await fixture.GetAsync(Path)).Status.ShouldBe(404);
    }

    private static async Task<ApiFixture> SeedAsync(CdnOptions? cdn = null)
    {
        var fixture = await ApiFixture.CreateAsync(change: services => services.AddSingleton(cdn ?? new CdnOptions()));
        await fixture.PublishAsync("ann", "Foo", "1.0.0+meta");
        return fixture;
    }
}
