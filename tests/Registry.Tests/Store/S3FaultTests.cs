using System.Diagnostics;
using Pipeline.Contracts;
using Pipeline.Registry.Failures;
using Pipeline.Registry.Store;

namespace Pipeline.Registry.Tests.Store;

/// <summary>What the S3 store makes of a server that fails, is slow, or answers what it did not do.</summary>
public sealed class S3FaultTests : IAsyncLifetime
{
    private const string Key = "crates/foo/foo-1.0.0.crate";
    private const int Large = 300_007;

    private readonly FakeS3 _server = new();
    private S3Store? _store;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private S3Store Store => _store ??= Create(10);

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        _store?.Dispose();
        await _server.DisposeAsync();
    }

    [Theory]
    [InlineData(5000)]
    [InlineData(Large)]
    public async Task A_final_crate_file_is_one_create_only_put_of_signed_bytes(int size)
    {
        (await PromoteAsync(size)).ShouldBeTrue();
        _server.Log.ShouldBe(["GET staging", "PUT crates"]);
        var put = _server.Requests.Last();
        put.Header("If-None-Match").ShouldBe("*");
        put.Header("Content-Encoding").ShouldBeNull();
        put.Header("x-amz-content-sha256").ShouldBe(Checksum.OfContent(put.Body).ToString());
        put.Header("Authorization")!.Split("SignedHeaders=")[1].Split(',')[0].Split(';').ShouldContain("if-none-match");
        put.Body.ShouldBe(Bytes(size));
    }

    [Theory]
    [InlineData(true, 1)]
    [InlineData(false, 2)]
    public async Task After_a_500_it_is_read_what_is_there_before_it_is_tried_again(bool wasStored, int puts)
    {
        FailFirst("PUT", new Fault { Status = 500, IsDone = wasStored });
        (await PromoteAsync(5000)).ShouldBeTrue();
        _server.Log.ShouldBe(["GET staging", "PUT crates", "HEAD crates", .. Enumerable.Repeat("PUT crates", puts - 1)]);
        _server.Objects["one-bucket/" + Key].Content.ShouldBe(Bytes(5000));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_key_that_an_own_lost_try_took_is_not_taken_by_another(bool wasStored)
    {
        FailFirst("PUT", new Fault { Status = 503, IsDone = wasStored });
        using var content = new MemoryStream(Bytes(100));
        (await Store.CreateAsync("records/foo/1.0.0.id.json", content, 100, Cancel)).ShouldBeTrue();
    }

    [Theory]
    [InlineData(409, "ConditionalRequestConflict")]
    [InlineData(429, "SlowDown")]
    [InlineData(500, "InternalError")]
    [InlineData(503, "SlowDown")]
    [InlineData(400, "RequestTimeout")]
    [InlineData(400, "XAmzContentSHA256Mismatch")]
    public async Task What_may_pass_is_tried_again(int status, string code)
    {
        FailFirst("PUT", new Fault { Status = status, Code = code });
        await Store.PutAsync("index/3/f/foo", "line"u8.ToArray(), Cancel);
        _server.Log.Count(line => line.StartsWith("PUT", StringComparison.Ordinal)).ShouldBe(2);
    }

    [Theory]
    [InlineData(503, "SlowDown", "store-away", 3)]
    [InlineData(403, "InvalidAccessKeyId", "store-refused", 1)]
    [InlineData(403, "SignatureDoesNotMatch", "store-refused", 1)]
    [InlineData(403, "QuotaExceeded", "store-full", 1)]
    [InlineData(404, "NoSuchBucket", "store-refused", 1)]
    [InlineData(307, "TemporaryRedirect", "store-refused", 1)]
    [InlineData(507, "InsufficientStorage", "store-full", 1)]
    public async Task What_does_not_pass_is_a_transient_failure_after_few_tries_that_tells_no_secret(int status, string code, string expected, int tries)
    {
        _server.Plan = _ => new Fault { Status = status, Code = code };
        var failure = await Should.ThrowAsync<TransientException>(() => Store.PutAsync("index/3/f/foo", "line"u8.ToArray(), Cancel).AsTask());
        (failure.Code, _server.Log.Count(line => line == "PUT index")).ShouldBe((expected, expected == "store-away" ? 1 : tries));
        _server.Log.Length.ShouldBe(tries);
        failure.Message.ShouldContain(tries == 1 ? $"{status} {code}" : $"{status} ");
        ShouldTellNothing(failure);
    }

    [Fact]
    public async Task A_request_that_is_wrong_is_a_fault_that_tells_no_secret()
    {
        _server.Plan = static _ => new Fault { Status = 400, Code = "KeyTooLongError" };
        ShouldTellNothing(await Should.ThrowAsync<InvalidOperationException>(() => Store.PutAsync("index/3/f/foo", "line"u8.ToArray(), Cancel).AsTask()));
        _server.Log.Length.ShouldBe(1);
    }

    [Fact]
    public async Task A_server_that_does_not_answer_is_away_in_bounded_time()
    {
        _server.Plan = static _ => new Fault { Hangs = true };
        using var store = Create(0.2);
        var started = Stopwatch.GetTimestamp();
        Func<Task>[] calls =
        [
            () => store.OpenAsync(Key, Cancel).AsTask(), () => store.IdentifyAsync(Key, Cancel).AsTask(), () => store.DeleteAsync(Key, Cancel).AsTask(), () => store.ProbeAsync(Cancel).AsTask(),
            () => store.PutAsync(Key, Bytes(10), Cancel).AsTask(), () => store.CreateAsync("staging/a.crate", new MemoryStream(Bytes(Large)), Large, Cancel).AsTask(),
            () => store.ListAsync("crates", Cancel).GetAsyncEnumerator(Cancel).MoveNextAsync().AsTask(),
        ];
        foreach (var failure in await Task.WhenAll(calls.Select(call => Should.ThrowAsync<TransientException>(call))))
        {
            failure.Code.ShouldBe("store-away");
            ShouldTellNothing(failure);
        }

        Stopwatch.GetElapsedTime(started).ShouldBeLessThan(TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task A_server_that_is_not_there_is_away_and_its_address_is_not_told()
    {
        var endpoint = _server.Endpoint;
        await _server.DisposeAsync();
        using var store = Create(5, endpoint);
        var failure = await Should.ThrowAsync<TransientException>(() => store.OpenAsync(Key, Cancel).AsTask());
        failure.Message.ShouldBe($"the object store cannot be reached (ConnectionRefused): get {Key}");
        failure.ToString().ShouldNotContain(new Uri(endpoint).Authority);
    }

    [Fact]
    public async Task A_caller_that_gives_up_is_not_told_that_the_store_is_away()
    {
        _server.Plan = static _ => new Fault { Hangs = true };
        using var patience = new CancellationTokenSource();
        var call = Store.OpenAsync(Key, patience.Token).AsTask();
        await patience.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => call);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_small_object_whose_answer_breaks_off_is_read_again(bool cuts)
    {
        _server.Objects["one-bucket/index/3/f/foo"] = (Bytes(5000), null);
        FailFirst("GET", new Fault { StopsAfter = 1000, Cuts = cuts });
        using var store = Create(0.5);
        await using var found = await store.OpenAsync("index/3/f/foo", Cancel);
        using var read = new MemoryStream();
        await found!.Content.CopyToAsync(read, Cancel);
        read.ToArray().ShouldBe(Bytes(5000));
    }

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(false, false)]
    public async Task A_large_object_whose_answer_breaks_off_is_a_failure_and_never_a_short_object(bool cuts, bool awaited)
    {
        _server.Objects["one-bucket/" + Key] = (Bytes(Large), null);
        FailFirst("GET", new Fault { StopsAfter = Large / 2, Cuts = cuts });
        using var store = Create(0.5);
        await using var found = await store.OpenAsync(Key, Cancel);
        var failure = awaited
            ? await Should.ThrowAsync<TransientException>(() => found!.Content.CopyToAsync(Stream.Null, Cancel))
            : Should.Throw<TransientException>(() => found!.Content.CopyTo(Stream.Null));
        failure.Code.ShouldBe("store-away");
    }

    [Fact]
    public async Task An_archive_whose_staged_bytes_break_off_on_the_way_is_read_again()
    {
        FailFirst("GET", new Fault { StopsAfter = Large / 2, Cuts = true });
        (await PromoteAsync(Large)).ShouldBeTrue();
        _server.Log.ShouldBe(["GET staging", "GET staging", "PUT crates"]);
    }

    [Fact]
    public async Task A_slow_client_does_not_make_the_store_away()
    {
        using var store = Create(0.3);
        using var content = new AwaitedStream(Bytes(Large)) { PauseAt = Large / 2, Pause = TimeSpan.FromSeconds(1) };
        (await store.CreateAsync("staging/slow.crate", content, Large, Cancel)).ShouldBeTrue();
    }

    [Fact]
    public async Task A_page_of_a_listing_that_fails_is_asked_for_again()
    {
        for (var i = 0; i < 5; i++) _server.Objects[$"two-bucket/staging/{i}.crate"] = ([1], null);
        var failed = false;
        _server.Plan = request => request.Target.Contains("continuation-token=2", StringComparison.Ordinal) && !failed && (failed = true) ? new Fault { Status = 500 } : null;
        var keys = new List<string>();
        await foreach (var entry in Store.ListAsync("staging", Cancel)) keys.Add(entry.Key);
        keys.ShouldBe(Enumerable.Range(0, 5).Select(i => $"staging/{i}.crate"));
        failed.ShouldBeTrue();
    }

    [Fact]
    public async Task A_missing_bucket_is_no_missing_object()
    {
        _server.Plan = static _ => new Fault { Status = 404, Code = "NoSuchBucket" };
        (await Should.ThrowAsync<TransientException>(() => Store.ProbeAsync(Cancel).AsTask())).Code.ShouldBe("store-refused");
        (await Should.ThrowAsync<TransientException>(() => Store.OpenAsync(Key, Cancel).AsTask())).Code.ShouldBe("store-refused");
    }

    [Fact]
    public async Task A_folder_for_temporary_files_that_cannot_be_used_is_named_as_the_cause()
    {
        using var store = new S3Store(Options(10, _server.Endpoint) with { TemporaryFolder = "/dev/null" });
        _server.Objects["two-bucket/staging/a.crate"] = (Bytes(Large), null);
        var staged = new StagedBytes("staging/a.crate", Large, Checksum.OfContent(Bytes(Large)));
        (await Should.ThrowAsync<TransientException>(() => store.PromoteAsync(staged, Key, replace: false, Cancel).AsTask())).Code.ShouldBe("temporary-folder");
    }

    private static void ShouldTellNothing(Exception failure)
    {
        failure.InnerException.ShouldBeNull();
        failure.ToString().ShouldNotContain("marked");
        failure.ToString().ShouldNotContain("Signature=");
    }

    private static S3Options Options(double timeout, string endpoint) => new()
    {
        Endpoint = endpoint,
        Bucket = "one-bucket",
        StagingBucket = "two-bucket",
        TimeoutSeconds = timeout,
        AccessKey = new Secret("marked-access"),
        SecretKey = new Secret("marked-secret"),
    };

    private static byte[] Bytes(int size)
    {
        var bytes = new byte[size];
        new Random(size).NextBytes(bytes);
        return bytes;
    }

    private S3Store Create(double timeout, string? endpoint = null) => new(Options(timeout, endpoint ?? _server.Endpoint));

    private void FailFirst(string method, Fault fault)
    {
        var failed = 0;
        _server.Plan = request => request.Method == method && Interlocked.Exchange(ref failed, 1) == 0 ? fault : null;
    }

    private async Task<bool> PromoteAsync(int size)
    {
        _server.Objects["two-bucket/staging/a.crate"] = (Bytes(size), null);
        return await Store.PromoteAsync(new StagedBytes("staging/a.crate", size, Checksum.OfContent(Bytes(size))), Key, replace: false, Cancel);
    }
}
