using System.Text;
using Pipeline.Contracts;
using Pipeline.Registry.Store;

namespace Pipeline.Registry.Tests.Store;

/// <summary>What every object store must do; each adapter runs these tests.</summary>
public abstract class ObjectStoreContract
{
    // More than a store may keep in memory, and no round number.
    private const int Large = 300_007;

    protected abstract IObjectStore Store { get; }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Whether somebody without credentials can read an object.</summary>
    protected abstract Task<bool> IsPublicAsync(string key);

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(5000)]
    [InlineData(Large)]
    public async Task A_created_object_reads_back_and_its_key_is_taken(int size)
    {
        (await CreateAsync("staging/a.crate", Bytes(size, 1))).ShouldBeTrue();
        (await CreateAsync("staging/a.crate", Bytes(size, 2))).ShouldBeFalse();
        (await ReadAsync("staging/a.crate")).ShouldBe(Bytes(size, 1));
    }

    [Theory]
    [InlineData("staging/b.crate", 6)]
    [InlineData("staging/b.crate", Large)]
    [InlineData("records/b/1.0.0.x.json", Large)]
    public async Task Content_that_ends_early_leaves_nothing(string key, int size)
    {
        using var content = new AwaitedStream(Bytes(size - 1, 1));
        await Should.ThrowAsync<EndOfStreamException>(() => Store.CreateAsync(key, content, size, Cancel).AsTask());
        (await ReadAsync(key)).ShouldBeNull();
    }

    [Theory]
    [InlineData(3)]
    [InlineData(Large)]
    public async Task Only_the_announced_length_is_taken_from_the_content(int size)
    {
        using var content = new AwaitedStream(Bytes(size + 10, 1));
        await Store.CreateAsync("staging/c.crate", content, size, Cancel);
        (await ReadAsync("staging/c.crate")).ShouldBe(Bytes(size + 10, 1)[..size]);
        content.Taken.ShouldBe(size);
    }

    [Fact]
    public async Task Content_that_fails_leaves_nothing_and_its_failure_is_the_callers()
    {
        using var content = new AwaitedStream(Bytes(Large, 1)) { FailAt = Large / 2 };
        (await Should.ThrowAsync<IOException>(() => Store.CreateAsync("staging/f.crate", content, Large, Cancel).AsTask())).Message.ShouldBe("the client went away");
        (await ReadAsync("staging/f.crate")).ShouldBeNull();
    }

    [Fact]
    public async Task A_put_replaces_what_was_there()
    {
        await Store.PutAsync("index/fo/o_/foo_", "old"u8.ToArray(), Cancel);
        await Store.PutAsync("index/fo/o_/foo_", "newer"u8.ToArray(), Cancel);
        (await ReadAsync("index/fo/o_/foo_")).ShouldBe("newer"u8.ToArray());
    }

    [Theory]
    [InlineData(100)]
    [InlineData(Large)]
    public async Task A_store_tells_whether_it_holds_a_content(int size)
    {
        const string key = "index/3/h/has";
        (await Store.HoldsAsync(key, Bytes(size, 1), Cancel)).ShouldBeFalse();
        await Store.PutAsync(key, Bytes(size, 1), Cancel);
        (await Store.HoldsAsync(key, Bytes(size, 1), Cancel)).ShouldBeTrue();
        (await Store.HoldsAsync(key, Bytes(size, 2), Cancel)).ShouldBeFalse();
        (await Store.HoldsAsync(key, Bytes(size - 1, 1), Cancel)).ShouldBeFalse();
    }

    [Fact]
    public async Task While_puts_replace_each_other_a_reader_sees_one_of_them_whole()
    {
        const string key = "index/3/m/mix";
        byte[][] contents = [Bytes(20_000, 1), Bytes(90_000, 2)];
        await Store.PutAsync(key, contents[0], Cancel);
        var writing = Task.Run(async () =>
        {
            for (var i = 1; i <= 40; i++) await Store.PutAsync(key, contents[i % 2], Cancel);
        });
        do
        {
            contents.Select(content => Checksum.OfContent(content)).ShouldContain(Checksum.OfContent((await ReadAsync(key))!));
        }
        while (!writing.IsCompleted);
        await writing;
    }

    [Fact]
    public async Task An_identity_is_that_of_one_content_and_there_is_none_without_an_object()
    {
        const string key = "index/3/i/ids";
        (await Store.IdentifyAsync(key, Cancel)).ShouldBeNull();
        var seen = new HashSet<ObjectIdentity>();
        for (byte i = 0; i < 5; i++)
        {
            // Of one length, and within a second: neither may be what tells them apart.
            await Store.PutAsync(key, Bytes(100, i), Cancel);
            var identity = (await Store.IdentifyAsync(key, Cancel)).ShouldNotBeNull();
            (await Store.IdentifyAsync(key, Cancel)).ShouldBe(identity);
            await using var open = await Store.OpenAsync(key, Cancel);
            open!.Identity.ShouldBe(identity);
            seen.Add(identity).ShouldBeTrue();
        }

        (await Store.IdentifyAsync("index/3/i", Cancel)).ShouldBeNull("a folder is no object");
    }

    [Theory]
    [InlineData(10)]
    [InlineData(Large)]
    public async Task Promotion_is_create_only_unless_it_may_replace(int size)
    {
        var (first, second) = (await StageAsync("d", Bytes(size, 1)), await StageAsync("e", Bytes(size, 2)));
        (await Store.PromoteAsync(first, "crates/x/x-1.0.0+b.crate", replace: false, Cancel)).ShouldBeTrue();
        (await Store.PromoteAsync(second, "crates/x/x-1.0.0+b.crate", replace: false, Cancel)).ShouldBeFalse();
        (await ReadAsync("crates/x/x-1.0.0+b.crate")).ShouldBe(Bytes(size, 1));
        (await Store.PromoteAsync(second, "crates/x/x-1.0.0+b.crate", replace: true, Cancel)).ShouldBeTrue();
        (await ReadAsync("crates/x/x-1.0.0+b.crate")).ShouldBe(Bytes(size, 2));
        (await ReadAsync(first.Key)).ShouldBe(Bytes(size, 1), "staged bytes stay");
    }

    [Theory]
    [InlineData(10)]
    [InlineData(Large)]
    public async Task Bytes_parked_elsewhere_are_promoted_as_staged_ones_are(int size)
    {
        var (first, second) = (Parked(Bytes(size, 1)), Parked(Bytes(size, 2)));
        (await Store.PromoteAsync(first, "crates/q/q-1.0.0.crate", replace: false, Cancel)).ShouldBeTrue();
        (await Store.PromoteAsync(first, "crates/q/q-1.0.0.crate", replace: false, Cancel)).ShouldBeTrue();
        (await Store.PromoteAsync(second, "crates/q/q-1.0.0.crate", replace: false, Cancel)).ShouldBeFalse();
        (await Store.PromoteAsync(second, "crates/q/q-1.0.0.crate", replace: true, Cancel)).ShouldBeTrue();
        (await ReadAsync("crates/q/q-1.0.0.crate")).ShouldBe(Bytes(size, 2));
        await Should.ThrowAsync<InvalidDataException>(() => Store.PromoteAsync(first with { Content = Bytes(size, 3) }, "crates/q/q-2.0.0.crate", replace: false, Cancel).AsTask());
        (await ReadAsync("crates/q/q-1.0.0.crate")).ShouldBe(Bytes(size, 2));
    }

    [Fact]
    public async Task What_is_written_unsynced_is_there_at_once_and_a_sync_makes_it_durable()
    {
        (await Store.CreateUnsyncedAsync("records/u/1.json", "one"u8.ToArray(), Cancel)).ShouldBeTrue();
        (await Store.CreateUnsyncedAsync("records/u/1.json", "other"u8.ToArray(), Cancel)).ShouldBeFalse();
        await Store.PutUnsyncedAsync("index/1/u", "old"u8.ToArray(), Cancel);
        await Store.PutUnsyncedAsync("index/1/u", "newer"u8.ToArray(), Cancel);
        (await ReadAsync("records/u/1.json")).ShouldBe("one"u8.ToArray());
        (await ReadAsync("index/1/u")).ShouldBe("newer"u8.ToArray());
        (await Store.HoldsAsync("index/1/u", "newer"u8.ToArray(), Cancel)).ShouldBeTrue();
        (await Store.HoldsAsync("index/1/u", "other"u8.ToArray(), Cancel)).ShouldBeFalse();
        (await Store.HoldsAsync("index/1/none", "other"u8.ToArray(), Cancel)).ShouldBeFalse();
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Store.SyncAsync(Cancel).AsTask()));
    }

    private static StagedBytes Parked(byte[] bytes) => new("", bytes.Length, Checksum.OfContent(bytes), bytes);

    [Theory]
    [InlineData(10)]
    [InlineData(Large)]
    public async Task Promoting_the_same_bytes_again_is_a_success(int size)
    {
        var (first, second) = (await StageAsync("g", Bytes(size, 1)), await StageAsync("h", Bytes(size, 1)));
        (await Store.PromoteAsync(first, "crates/s/s-1.0.0.crate", replace: false, Cancel)).ShouldBeTrue();
        (await Store.PromoteAsync(first, "crates/s/s-1.0.0.crate", replace: false, Cancel)).ShouldBeTrue();
        (await Store.PromoteAsync(second, "crates/s/s-1.0.0.crate", replace: false, Cancel)).ShouldBeTrue();
    }

    [Fact]
    public async Task Promoting_bytes_that_are_gone_says_so() => await Should.ThrowAsync<FileNotFoundException>(
        () => Store.PromoteAsync(new StagedBytes("staging/none.crate", 1, Checksum.OfContent([1])), "crates/y/y-1.0.0.crate", replace: false, Cancel).AsTask());

    [Theory]
    [InlineData(10, false, 0, false)]
    [InlineData(10, true, 0, true)]
    [InlineData(10, false, 1, false)]
    [InlineData(10, true, -1, true)]
    [InlineData(Large, false, 0, true)]
    [InlineData(Large, true, 0, false)]
    [InlineData(Large, false, -1, false)]
    public async Task Bytes_that_are_not_the_ones_received_are_never_published(int size, bool isLengthRight, int offBy, bool replace)
    {
        var staged = await StageAsync("w", Bytes(size, 1));
        var wrong = isLengthRight && offBy == 0
            ? staged with { Checksum = Checksum.OfContent(Bytes(size, 9)) }
            : staged with { Length = size + (isLengthRight ? 0 : offBy == 0 ? 7 : offBy), Checksum = Checksum.OfContent(Bytes(size, 9)) };
        await Should.ThrowAsync<InvalidDataException>(() => Store.PromoteAsync(wrong, "crates/w/w-1.0.0.crate", replace, Cancel).AsTask());
        (await ReadAsync("crates/w/w-1.0.0.crate")).ShouldBeNull();
    }

    [Theory]
    [InlineData(10)]
    [InlineData(Large)]
    public async Task Of_sixteen_that_create_one_key_exactly_one_wins(int size)
    {
        var won = await Task.WhenAll(Enumerable.Range(0, 16).Select(i => CreateAsync("staging/r.crate", Bytes(size, (byte)i))));
        (await ReadAsync("staging/r.crate")).ShouldBe(Bytes(size, (byte)Array.IndexOf(won, true)));
        won.Count(created => created).ShouldBe(1);
    }

    [Fact]
    public async Task Of_sixteen_that_promote_to_one_key_exactly_one_wins()
    {
        var staged = await Task.WhenAll(Enumerable.Range(0, 16).Select(i => StageAsync($"race-{i}", Bytes(5000, (byte)i))));
        var won = await Task.WhenAll(staged.Select(one => Store.PromoteAsync(one, "crates/r/r-1.0.0.crate", replace: false, Cancel).AsTask()));
        (await ReadAsync("crates/r/r-1.0.0.crate")).ShouldBe(Bytes(5000, (byte)Array.IndexOf(won, true)));
        won.Count(promoted => promoted).ShouldBe(1);
    }

    [Theory]
    [InlineData(10, 0L, 4L, 0, 5)]
    [InlineData(10, 4L, 4L, 4, 1)]
    [InlineData(10, 4L, null, 4, 6)]
    [InlineData(10, 9L, 100L, 9, 1)]
    [InlineData(10, null, 3L, 7, 3)]
    [InlineData(10, null, 100L, 0, 10)]
    [InlineData(10, 10L, null, 10, 0)]
    [InlineData(10, 500L, 600L, 10, 0)]
    [InlineData(10, null, 0L, 10, 0)]
    [InlineData(0, 0L, null, 0, 0)]
    [InlineData(Large, 100_000L, 299_999L, 100_000, 200_000)]
    public async Task A_range_of_an_object_is_read_without_the_rest(int size, long? first, long? last, int offset, int count)
    {
        await Store.PutAsync("crates/p/p-1.0.0.crate", Bytes(size, 1), Cancel);
        await using var part = (await Store.OpenAsync("crates/p/p-1.0.0.crate", new ByteRange(first, last), Cancel)).ShouldNotBeNull();
        (part.Length, part.Count).ShouldBe((size, count));
        part.Offset.ShouldBe(offset);
        (await ReadAsync(part.Content)).ShouldBe(Bytes(size, 1)[offset..(offset + count)]);
        var whole = await Store.IdentifyAsync("crates/p/p-1.0.0.crate", Cancel);
        part.Identity.ShouldBe(whole!.Value);
    }

    [Fact]
    public async Task A_range_of_what_is_not_there_is_not_there_either() => (await Store.OpenAsync("crates/p/p-9.0.0.crate", new ByteRange(0, 0), Cancel)).ShouldBeNull();

    [Theory]
    [InlineData("crates/plus/plus-1.0.0-rc.1+build.5.crate")]
    [InlineData("crates/odd/ü 日本 𝄞 &?#:~'()!*@,;=$%2B.crate")]
    [InlineData("records/longest")]
    public async Task Odd_and_long_keys_are_kept_apart_and_listed_as_they_are(string key)
    {
        // The longest that a name of 64 characters and a version of 150 come to.
        if (key == "records/longest") key = StoreKeys.Record(new string('n', 64), "1.0.0-" + new string('v', 144), PublishId.New().ToString());
        await CreateAsync(key, "one"u8.ToArray());
        await CreateAsync(key.Replace('+', ' ') + "x", "two"u8.ToArray());
        (await ReadAsync(key)).ShouldBe("one"u8.ToArray());
        (await ListAsync(Path.GetDirectoryName(key)!)).ShouldContain((key, 3L));
        await Store.DeleteAsync(key, Cancel);
        (await ReadAsync(key)).ShouldBeNull();
    }

    [Fact]
    public async Task A_listing_names_the_objects_of_its_folder_and_not_of_one_that_starts_alike()
    {
        await CreateAsync("crates/foo/foo-1.0.0.crate", "a"u8.ToArray());
        await CreateAsync("crates/foobar/foobar-1.0.0.crate", "bb"u8.ToArray());
        var before = DateTimeOffset.UtcNow;
        (await ListAsync("crates/foo")).ShouldBe([("crates/foo/foo-1.0.0.crate", 1L)]);
        (await ListAsync("crates")).Count.ShouldBe(2);
        (await ListAsync("nothing")).ShouldBeEmpty();
        await foreach (var entry in Store.ListAsync("crates", Cancel)) (before - entry.ModifiedAt).Duration().ShouldBeLessThan(TimeSpan.FromMinutes(1));
    }

    [Fact]
    public async Task A_listing_of_more_than_a_page_is_whole_though_it_is_deleted_on_the_way()
    {
        const int count = 1050;
        await Parallel.ForEachAsync(Enumerable.Range(0, count), new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (i, _) => await CreateAsync($"staging/{i:0000}.crate", [1]));
        var seen = new HashSet<string>();
        await foreach (var entry in Store.ListAsync(StoreKeys.Staging, Cancel))
        {
            seen.Add(entry.Key).ShouldBeTrue();
            if (seen.Count % 100 == 0) await Store.DeleteAsync(entry.Key, Cancel);
        }

        seen.Count.ShouldBe(count);
        (await ListAsync(StoreKeys.Staging)).Count.ShouldBe(count - 10);
    }

    [Fact]
    public async Task Deleting_twice_is_fine()
    {
        await CreateAsync("crates/z/z-1.0.0.crate", "z"u8.ToArray());
        await Store.DeleteAsync("crates/z/z-1.0.0.crate", Cancel);
        await Store.DeleteAsync("crates/z/z-1.0.0.crate", Cancel);
        (await ReadAsync("crates/z/z-1.0.0.crate")).ShouldBeNull();
    }

    [Fact]
    public async Task Staging_is_private()
    {
        var staged = await StageAsync("secret", "not yet checked"u8.ToArray());
        (await IsPublicAsync(staged.Key)).ShouldBeFalse();
    }

    [Fact]
    public async Task A_store_in_order_says_so() => await Store.ProbeAsync(Cancel);

    /// <summary>A content of its own for each seed.</summary>
    protected static byte[] Bytes(int size, byte seed)
    {
        var bytes = new byte[size];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    protected async Task<StagedBytes> StageAsync(string name, byte[] content)
    {
        var key = StoreKeys.Staged(name);
        (await CreateAsync(key, content)).ShouldBeTrue();
        return new StagedBytes(key, content.Length, Checksum.OfContent(content));
    }

    protected async Task<bool> CreateAsync(string key, byte[] bytes)
    {
        using var content = new AwaitedStream(bytes);
        return await Store.CreateAsync(key, content, bytes.Length, Cancel);
    }

    protected async Task<byte[]?> ReadAsync(string key)
    {
        await using var stored = await Store.OpenAsync(key, Cancel);
        if (stored is null) return null;
        var bytes = await ReadAsync(stored.Content);
        ((long)bytes.Length, stored.Count).ShouldBe((stored.Length, stored.Length));
        return bytes;
    }

    protected static string Text(byte[] bytes) => Encoding.UTF8.GetString(bytes);

    private static async Task<byte[]> ReadAsync(Stream content)
    {
        using var memory = new MemoryStream();
        await content.CopyToAsync(memory, Cancel);
        return memory.ToArray();
    }

    private async Task<List<(string Key, long Length)>> ListAsync(string folder)
    {
        var keys = new List<(string, long)>();
        await foreach (var entry in Store.ListAsync(folder, Cancel)) keys.Add((entry.Key, entry.Length));
        return keys;
    }
}
