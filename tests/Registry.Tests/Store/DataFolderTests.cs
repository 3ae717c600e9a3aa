using Pipeline.Registry.Database;
using Pipeline.Registry.Store;

namespace Pipeline.Registry.Tests.Store;

public sealed class DataFolderTests : IDisposable
{
    private const UnixFileMode Everybody = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;
    private const UnixFileMode Owner = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const UnixFileMode OwnersFile = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly string _folder = Directory.CreateTempSubdirectory("data-test-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void The_folder_is_its_owners_alone_whoever_made_it(bool alone)
    {
        var path = Path.Combine(_folder, "data");
        Directory.CreateDirectory(path);
        File.SetUnixFileMode(path, Everybody);

        DataFolder.Open(path, alone).Dispose();

        File.GetUnixFileMode(path).ShouldBe(Owner);
    }

    [Fact]
    public void A_folder_for_everybody_is_left_as_it_is_and_refused()
    {
        File.SetUnixFileMode(_folder, Everybody | UnixFileMode.OtherWrite | UnixFileMode.StickyBit);

        Should.Throw<InvalidOperationException>(() => DataFolder.Open(_folder, alone: true)).Message.ShouldStartWith("Registry:Data: ");

        File.GetUnixFileMode(_folder).HasFlag(UnixFileMode.StickyBit).ShouldBeTrue();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_database_and_what_lies_beside_it_is_its_owners_alone(bool isThere)
    {
        var path = Path.Combine(_folder, "registry.sqlite");
        if (isThere)
        {
            await using (new SqliteDatabase(path, TimeProvider.System)) { }
            File.SetUnixFileMode(path, Everybody);
        }

        await using var database = new SqliteDatabase(path, TimeProvider.System);
        await database.WriteAsync(static sql => sql.ExecuteAsync("CREATE TABLE t (a BIGINT)"), TestContext.Current.CancellationToken);

        foreach (var file in Directory.EnumerateFiles(_folder)) File.GetUnixFileMode(file).ShouldBe(OwnersFile, file);
    }
}
