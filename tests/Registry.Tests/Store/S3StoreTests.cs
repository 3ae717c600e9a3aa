using System.Net;
using Pipeline.Registry.Store;
using Pipeline.Tests.Services;

namespace Pipeline.Registry.Tests.Store;

/// <summary>The contract, and what a stranger sees of the objects, on a real S3 server.</summary>
public sealed class S3StoreTests : ObjectStoreContract, IAsyncLifetime
{
    private static readonly HttpClient Stranger = new();

    private S3Buckets? _buckets;
    private S3Store? _store;

    protected override IObjectStore Store => _store!;

    public async ValueTask InitializeAsync()
    {
        _buckets = await S3Buckets.CreateAsync();
        _store = new S3Store(_buckets.Options);
    }

    public async ValueTask DisposeAsync()
    {
        _store?.Dispose();
        if (_buckets is not null) await _buckets.DisposeAsync();
    }

    [Theory]
    [InlineData(10)]
    [InlineData(300_007)]
    public async Task A_crate_file_has_the_headers_that_caches_go_by_and_a_plus_in_its_key(int size)
    {
        await Store.PromoteAsync(await StageAsync("plus", Bytes(size, 1)), StoreKeys.Crate("Foo_Bar", "1.0.0-rc.1+build.5"), replace: false, TestContext.Current.CancellationToken);
        using var answer = await GetAsync("crates/Foo_Bar/Foo_Bar-1.0.0-rc.1%2Bbuild.5.crate");
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        (await answer.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken)).ShouldBe(Bytes(size, 1));
        Headers(answer).ShouldBe(
            ("application/gzip", "public, max-age=31536000, immutable", null, "crate:Foo_Bar,release:Foo_Bar@1.0.0-rc.1+build.5", "crate:Foo_Bar release:Foo_Bar@1.0.0-rc.1+build.5"));
        answer.Content.Headers.ContentLength.ShouldBe(size);
    }

    [Fact]
    public async Task An_index_file_has_its_headers()
    {
        await Store.PutAsync(StoreKeys.SparseFile("fo/o_/foo_bar"), "line\n"u8.ToArray(), TestContext.Current.CancellationToken);
        using var answer = await GetAsync("index/fo/o_/foo_bar");
        Headers(answer).ShouldBe(("text/plain", "public, max-age=600", null, "index:foo_bar", "index:foo_bar"));
        answer.Headers.ETag.ShouldNotBeNull();
    }

    [Theory]
    [InlineData("records/foo/1.0.0.id.json")]
    [InlineData("staging/anything.crate")]
    [InlineData("index/no/such/file")]
    [InlineData("")]
    public async Task Nothing_but_served_objects_is_there_for_a_stranger(string key)
    {
        if (key.EndsWith("json", StringComparison.Ordinal)) (await CreateAsync(key, "{}"u8.ToArray())).ShouldBeTrue();
        using var answer = await GetAsync(key);
        answer.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task Bytes_that_another_tool_put_there_are_compared_by_reading_them()
    {
        using (var other = new Amazon.S3.AmazonS3Client(_buckets!.Options.AccessKey!.Reveal(), _buckets.Options.SecretKey!.Reveal(), new Amazon.S3.AmazonS3Config { ServiceURL = _buckets.Options.Endpoint, ForcePathStyle = true, AuthenticationRegion = "us-east-1", RequestChecksumCalculation = Amazon.Runtime.RequestChecksumCalculation.WHEN_REQUIRED }))
        {
            await other.PutObjectAsync(new() { BucketName = _buckets.Options.Bucket, Key = "crates/o/o-1.0.0.crate", InputStream = new MemoryStream(Bytes(5000, 1)), UseChunkEncoding = false }, TestContext.Current.CancellationToken);
        }

        (await Store.PromoteAsync(await StageAsync("same", Bytes(5000, 1)), "crates/o/o-1.0.0.crate", replace: false, TestContext.Current.CancellationToken)).ShouldBeTrue();
        (await Store.PromoteAsync(await StageAsync("other", Bytes(5000, 2)), "crates/o/o-1.0.0.crate", replace: false, TestContext.Current.CancellationToken)).ShouldBeFalse();
    }

    protected override async Task<bool> IsPublicAsync(string key)
    {
        using var answer = await GetAsync(key);
        return answer.StatusCode != HttpStatusCode.Forbidden;
    }

    private static (string? Type, string? CacheControl, string? Coding, string? CacheTags, string? SurrogateKey) Headers(HttpResponseMessage answer) => (
        answer.Content.Headers.ContentType?.ToString(), answer.Headers.CacheControl?.ToString(), answer.Content.Headers.ContentEncoding.FirstOrDefault(),
        Meta(answer, "x-amz-meta-cache-tags"), Meta(answer, "x-amz-meta-surrogate-key"));

    private static string? Meta(HttpResponseMessage answer, string name) => answer.Headers.TryGetValues(name, out var values) ? values.Single() : null;

    private Task<HttpResponseMessage> GetAsync(string escapedKey) => Stranger.GetAsync(_buckets!.Url(escapedKey), TestContext.Current.CancellationToken);
}
