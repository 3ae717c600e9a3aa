using Pipeline.Contracts;
using Pipeline.Registry.Failures;
using Pipeline.Registry.Store;

namespace Pipeline.Registry.Tests.Store;

public sealed class FolderStoreTests : ObjectStoreContract, IDisposable
{
    private readonly DirectoryInfo _parent = Directory.CreateTempSubdirectory("store");
    private readonly DataFolder _folder;

    public FolderStoreTests()
    {
        _folder = DataFolder.Open(Path.Combine(_parent.FullName, "data"), alone: true);
        Store = new FolderStore(_folder.Objects);
    }

    protected override IObjectStore Store { get; }

    [Fact]
    public async Task A_key_that_leaves_the_folder_is_a_bug_and_throws() =>
        await Should.ThrowAsync<ArgumentException>(() => Store.PutAsync("index/../../etc/passwd", default).AsTask());

    [Fact]
    public async Task A_reader_keeps_the_bytes_it_opened_while_they_are_replaced()
    {
        await Store.PutAsync("index/a", "old"u8.ToArray());
        await using var open = await Store.OpenAsync("index/a");

        await Store.PutAsync("index/a", "newer"u8.ToArray());

        using var reader = new StreamReader(open!.Content);
        (await reader.ReadToEndAsync()).ShouldBe("old");
    }

    [Fact]
    public async Task A_file_that_goes_while_its_folder_is_listed_is_no_object()
    {
        for (var i = 0; i < 20; i++) await Store.PutAsync($"staging/{i:d2}", "bytes"u8.ToArray());
        var listed = new List<string>();

        await foreach (var entry in Store.ListAsync("staging"))
        {
            listed.Add(entry.Key);
            if (listed.Count > 1) continue;
            // The folder was read in one piece; what it named goes before it is asked for.
            foreach (var file in Directory.GetFiles(Path.Combine(_folder.Objects, "staging")).Where(file => !file.EndsWith(entry.Key, StringComparison.Ordinal))) File.Delete(file);
        }

        listed.Count.ShouldBe(1);
    }

    [Theory]
    [InlineData(".unfinished")]
    [InlineData("index")]
    [InlineData("crates")]
    public async Task A_disk_in_trouble_is_an_outage_whatever_call_it_shows_in_and_its_paths_stay_inside(string spoilt)
    {
        await Store.PutAsync("staging/a", "content"u8.ToArray());
        var staged = new StagedBytes("staging/a", 7, Checksum.OfContent("content"u8));
        var path = Path.Combine(_folder.Objects, spoilt);
        if (Directory.Exists(path)) Directory.Delete(path, recursive: true);
        await File.WriteAllTextAsync(path, "a file in the way of a folder");
        Func<Task> call = spoilt == "crates" ? () => Store.PromoteAsync(staged, "crates/a/a", replace: false).AsTask() : () => Store.PutAsync("index/a", "content"u8.ToArray()).AsTask();

        var outage = await Should.ThrowAsync<TransientException>(call);

        outage.Code.ShouldBe("store-away");
        outage.Message.ShouldNotContain(_parent.FullName);
        File.Delete(path);
        if (spoilt == ".unfinished") Directory.CreateDirectory(path);
        await call();
    }

    public void Dispose()
    {
        _folder.Dispose();
        _parent.Delete(recursive: true);
    }

    // Another user of the machine would have to pass through the data folder.
    protected override Task<bool> IsPublicAsync(string key) =>
        Task.FromResult((File.GetUnixFileMode(_folder.Path) & ~(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute)) != 0);
}
