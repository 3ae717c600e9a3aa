using System.Text;
using Pipeline.Registry.Store;

namespace Pipeline.Registry.Tests.Store;

/// <summary>What every object store must do; each adapter runs these tests.</summary>
public abstract class ObjectStoreContract
{
    protected abstract IObjectStore Store { get; }

    [Fact]
    public async Task A_created_object_reads_back_and_its_key_is_taken()
    {
        (await CreateAsync("staging/a.crate", "one")).ShouldBeTrue();
        (await CreateAsync("staging/a.crate", "two")).ShouldBeFalse();

        (await ReadAsync("staging/a.crate")).ShouldBe("one");
    }

    [Fact]
    public async Task Content_that_ends_early_leaves_nothing()
    {
        using var content = new MemoryStream("short"u8.ToArray());

        await Should.ThrowAsync<EndOfStreamException>(() => Store.CreateAsync("staging/b.crate", content, 6).AsTask());

        (await ReadAsync("staging/b.crate")).ShouldBeNull();
    }

    [Fact]
    public async Task Only_the_announced_length_is_taken_from_the_content()
    {
        using var content = new MemoryStream("onetwo"u8.ToArray());

        await Store.CreateAsync("staging/c.crate", content, 3);

        (await ReadAsync("staging/c.crate")).ShouldBe("one");
        content.Position.ShouldBe(3);
    }

    [Fact]
    public async Task A_put_replaces_what_was_there()
    {
        await Store.PutAsync("index/fo/o_/foo_", "old"u8.ToArray());
        await Store.PutAsync("index/fo/o_/foo_", "new"u8.ToArray());

        (await ReadAsync("index/fo/o_/foo_")).ShouldBe("new");
    }

    [Fact]
    public async Task An_identity_is_that_of_one_content_and_there_is_none_without_an_object()
    {
        (await Store.IdentifyAsync("index/3/i/ids")).ShouldBeNull();
        await Store.PutAsync("index/3/i/ids", "old"u8.ToArray());
        var old = (await Store.IdentifyAsync("index/3/i/ids")).ShouldNotBeNull();
        (await Store.IdentifyAsync("index/3/i/ids")).ShouldBe(old);
        await Store.PutAsync("index/3/i/ids", "new"u8.ToArray());
        (await Store.IdentifyAsync("index/3/i/ids")).ShouldNotBe(old);
        (await Store.IdentifyAsync("index/3/i")).ShouldBeNull("a folder is no object");
    }

    [Fact]
    public async Task Promotion_is_create_only_unless_it_may_replace()
    {
        await CreateAsync("staging/d.crate", "first");
        await CreateAsync("staging/e.crate", "second");

        (await Store.PromoteAsync("staging/d.crate", "crates/x/x-1.0.0+b.crate", replace: false)).ShouldBeTrue();
        (await Store.PromoteAsync("staging/e.crate", "crates/x/x-1.0.0+b.crate", replace: false)).ShouldBeFalse();
        (await ReadAsync("crates/x/x-1.0.0+b.crate")).ShouldBe("first");
        (await Store.PromoteAsync("staging/e.crate", "crates/x/x-1.0.0+b.crate", replace: true)).ShouldBeTrue();
        (await ReadAsync("crates/x/x-1.0.0+b.crate")).ShouldBe("second");
        (await ReadAsync("staging/e.crate")).ShouldBe("second");
    }

    [Fact]
    public async Task Promoting_bytes_that_are_gone_says_so() =>
        await Should.ThrowAsync<FileNotFoundException>(() => Store.PromoteAsync("staging/none.crate", "crates/y/y-1.0.0.crate", replace: false).AsTask());

    [Fact]
    public async Task Of_sixteen_that_create_one_key_exactly_one_wins()
    {
        var won = await Task.WhenAll(Enumerable.Range(0, 16).Select(i => CreateAsync("crates/r/r-1.0.0.crate", $"{i}")));

        won.Count(created => created).ShouldBe(1);
    }

    [Fact]
    public async Task A_listing_names_the_objects_of_its_folder_and_not_of_one_that_starts_alike()
    {
        await CreateAsync("crates/foo/foo-1.0.0.crate", "a");
        await CreateAsync("crates/foobar/foobar-1.0.0.crate", "bb");

        var keys = new List<(string, long)>();
        await foreach (var entry in Store.ListAsync("crates/foo")) keys.Add((entry.Key, entry.Length));

        keys.ShouldBe([("crates/foo/foo-1.0.0.crate", 1L)]);
    }

    [Fact]
    public async Task Deleting_twice_is_fine()
    {
        await CreateAsync("crates/z/z-1.0.0.crate", "z");

        await Store.DeleteAsync("crates/z/z-1.0.0.crate");
        await Store.DeleteAsync("crates/z/z-1.0.0.crate");

        (await ReadAsync("crates/z/z-1.0.0.crate")).ShouldBeNull();
    }

    private async Task<bool> CreateAsync(string key, string text)
    {
        using var content = new MemoryStream(Encoding.UTF8.GetBytes(text));
        return await Store.CreateAsync(key, content, content.Length);
    }

    private async Task<string?> ReadAsync(string key)
    {
        await using var stored = await Store.OpenAsync(key);
        if (stored is null) return null;
        using var reader = new StreamReader(stored.Content);
        return await reader.ReadToEndAsync();
    }
}
