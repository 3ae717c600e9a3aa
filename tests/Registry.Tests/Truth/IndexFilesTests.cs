using System.Text;
using Pipeline.Registry.Truth;

namespace Pipeline.Registry.Tests.Truth;

/// <summary>Whatever is kept, a file has the bytes that rendering it whole gives.</summary>
public sealed class IndexFilesTests
{
    // Two lines are more than the least that is kept.
    private static readonly string Noise = new('x', 6000);

    [Fact]
    public async Task A_file_that_is_kept_grows_by_the_new_lines_and_has_the_bytes_of_the_whole()
    {
        await using var temp = await TempDatabase.CreateAsync();
        var files = new IndexFiles();
        var crate = await CrateAsync(temp, "foo");
        for (var i = 0; i < 6; i++)
        {
            await PublishAsync(temp, crate, $"1.0.{i}");
            if (i != 3) await ShouldBeWholeAsync(temp, files, crate);
        }

        var lines = Encoding.UTF8.GetString((await ReadAsync(temp, files, crate)).Content!).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        lines.Length.ShouldBe(6);
    }

    [Theory]
    [InlineData("UPDATE versions SET yanked = TRUE WHERE num = '1.0.1'", "yank")]
    [InlineData("UPDATE versions SET state = 'deleted' WHERE num = '1.0.0'", "delete")]
    [InlineData("UPDATE crates SET state = 'deleted'", "delete")]
    public async Task What_is_no_publish_has_the_whole_file_read_again(string change, string kind)
    {
        await using var temp = await TempDatabase.CreateAsync();
        var files = new IndexFiles();
        var crate = await CrateAsync(temp, "foo");
        for (var i = 0; i < 3; i++) await PublishAsync(temp, crate, $"1.0.{i}");
        await ShouldBeWholeAsync(temp, files, crate);

        await temp.Database.WriteAsync(async sql =>
        {
            await sql.ExecuteAsync(change);
            return await Revisions.BumpAsync(sql, crate, kind, "1.0.1");
        });
        await ShouldBeWholeAsync(temp, files, crate);
        await PublishAsync(temp, crate, "2.0.0");
        await ShouldBeWholeAsync(temp, files, crate);
    }

    [Fact]
    public async Task Many_crates_are_read_at_once_and_one_without_versions_has_no_file()
    {
        await using var temp = await TempDatabase.CreateAsync();
        var files = new IndexFiles();
        var (one, other, empty) = (await CrateAsync(temp, "one"), await CrateAsync(temp, "other"), await CrateAsync(temp, "empty"));
        await PublishAsync(temp, one, "1.0.0");
        await PublishAsync(temp, other, "1.0.0");

        var read = await temp.Database.ReadAsync(sql => files.ReadAsync(sql, [one, other, empty, 999]));

        read.Keys.Order().ShouldBe([one, other, empty]);
        (read[one].Name, read[one].Content is null, read[empty].Content).ShouldBe(("one", false, null));
    }

    private static async Task ShouldBeWholeAsync(TempDatabase temp, IndexFiles files, long crate)
    {
        var whole = await temp.Database.ReadAsync(sql => IndexLines.ReadAsync(sql, crate));
        var read = await ReadAsync(temp, files, crate);
        (read.Revision, read.Name).ShouldBe((whole!.Revision, whole.Name));
        (read.Content is null ? null : Encoding.UTF8.GetString(read.Content)).ShouldBe(whole.Content is null ? null : Encoding.UTF8.GetString(whole.Content));
    }

    private static async Task<IndexSnapshot> ReadAsync(TempDatabase temp, IndexFiles files, long crate) =>
        (await temp.Database.ReadAsync(sql => files.ReadAsync(sql, [crate])))[crate];

    private static async Task<long> CrateAsync(TempDatabase temp, string name) => (await temp.Database.WriteAsync(sql => sql.LongAsync(
        "INSERT INTO crates (canonical, name, revision, last_published_at, created_at, updated_at) VALUES ($1, $1, 0, 0, 0, 0) RETURNING id", name)))!.Value;

    private static async Task PublishAsync(TempDatabase temp, long crate, string num) => await temp.Database.WriteAsync(async sql =>
    {
        var (revision, at) = await sql.FirstAsync(
            "UPDATE crates SET revision = revision + 1, last_published_at = last_published_at + 1, state = 'active' WHERE id = $1 RETURNING revision, last_published_at",
            static row => (row.Long(0), row.Long(1)), crate);
        await sql.ExecuteAsync(
            """
            INSERT INTO versions (crate_id, num, num_no_build, sort_key, prerelease, checksum, size, object_key, entry_head, entry_tail, dependencies, features,
                has_lib, bin_names, publish_id, published_at, updated_at)
            VALUES ($1, $2, $2, $3, FALSE, 'c', 1, 'k', $4, '}', '[]', '{}', TRUE, '[]', 'p', $5, 0)
            """,
            crate, num, Encoding.UTF8.GetBytes(num), $"{{\"vers\":\"{num}\",\"noise\":\"{Noise}\",\"yanked\":", at);
        return await Revisions.RecordAsync(sql, crate, revision, "foo", "publish", num, null);
    });
}
