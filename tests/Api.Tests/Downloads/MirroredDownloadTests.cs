using System.Text;
using Pipeline.Contracts;
using Pipeline.Contracts.Upstream;
using Pipeline.Registry.Store;

namespace Pipeline.Api.Tests.Downloads;

/// <summary>Downloads of mirrored crates.</summary>
public sealed class MirroredDownloadTests
{
    private const string Path = "/crates/Serde/Serde-1.0.0%2Bmeta.crate";
    private const string Upstream = "https://static.example/crates/Serde/1.0.0+meta/download";

    private static readonly byte[] Content = Encoding.UTF8.GetBytes("the bytes of Serde");
    private static readonly string Sum = Checksum.OfContent(Content).ToString();
    private static readonly string Key = StoreKeys.UpstreamFile("crates-io", "Serde", "1.0.0+meta", Sum);

    [Theory]
    [InlineData("metadata", false)]
    [InlineData("on-demand", true)]
    [InlineData("full", true)]
    public async Task What_is_not_here_is_the_upstreams_to_send_and_is_asked_for_where_the_mode_is_to_fetch(string mode, bool asks)
    {
        await using var api = await SeedAsync(mode);

        (await api.SendAsync("HEAD", Path)).Headers["Location"].ShouldBe(Upstream);
        (await api.CountAsync("upstream_files")).ShouldBe(0);
        for (var i = 0; i < 3; i++)
        {
            var answer = await api.GetAsync(Path);
            (answer.Status, answer.Headers["Location"], answer.Headers["Cache-Control"]).ShouldBe((302, Upstream, "no-store"));
        }

        (await api.CountAsync("upstream_files")).ShouldBe(asks ? 1 : 0);
        api.Bells.Take().Count(static bell => bell is FetchCrate).ShouldBe(asks ? 1 : 0);
        if (asks) (await api.Temp.LongAsync("SELECT 1 FROM upstream_files WHERE state = 'wanted' AND object_key = $1 AND turn > 2000000000000000000", Key)).ShouldBe(1);
    }

    [Fact]
    public async Task A_kept_file_is_served_as_any_other_and_its_use_is_noted_now_and_then()
    {
        await using var api = await SeedAsync("on-demand");
        await KeepAsync(api);

        var answer = await api.GetAsync(Path);
        (answer.Status, answer.Text, answer.Headers["ETag"], answer.Headers["Cache-Control"]).ShouldBe((200, "the bytes of Serde", $"\"{Sum}\"", "public,max-age=31536000,immutable"));
        (await api.GetAsync(Path, null, ("Range", "bytes=4-8"))).Text.ShouldBe("bytes");
        (await api.GetAsync(Path, null, ("If-None-Match", $"\"{Sum}\""))).Status.ShouldBe(304);
        var used = await api.Temp.LongAsync("SELECT used_at FROM upstream_files");
        api.Clock.Advance(TimeSpan.FromMinutes(50));
        await api.GetAsync(Path);
        (await api.Temp.LongAsync("SELECT used_at FROM upstream_files")).ShouldBe(used);
        api.Clock.Advance(TimeSpan.FromMinutes(11));
        await api.GetAsync(Path);
        (await api.Temp.LongAsync("SELECT used_at FROM upstream_files"))!.Value.ShouldBeGreaterThan(used!.Value);
        api.Bells.Take().ShouldBeEmpty();
    }

    [Fact]
    public async Task Bytes_that_the_index_names_no_longer_are_not_served()
    {
        await using var api = await SeedAsync("on-demand");
        await KeepAsync(api);
        await api.Temp.ExecuteAsync("UPDATE crates SET upstream_file = $1", Line(new string('b', 64)));

        var answer = await api.GetAsync(Path);

        answer.Status.ShouldBe(302);
        (await api.Temp.LongAsync("SELECT COUNT(*) FROM upstream_files WHERE state = 'wanted' AND checksum = $1", new string('b', 64))).ShouldBe(1);
        (await api.Temp.LongAsync("SELECT COUNT(*) FROM upstream_files WHERE state = 'kept'")).ShouldBe(1);
    }

    [Fact]
    public async Task What_made_room_for_others_or_was_lost_goes_to_the_upstream_and_is_asked_for_again()
    {
        await using var api = await SeedAsync("full");
        await KeepAsync(api);
        await api.Store.DeleteAsync(Key);

        (await api.GetAsync(Path)).Status.ShouldBe(302);

        (await api.Temp.LongAsync("SELECT COUNT(*) FROM upstream_files WHERE state = 'wanted'")).ShouldBe(1);
        api.Bells.Take().ShouldBe([new FetchCrate()]);
    }

    [Fact]
    public async Task A_file_that_was_refused_goes_to_the_upstream_and_is_not_asked_for_again()
    {
        await using var api = await SeedAsync("on-demand");
        await KeepAsync(api);
        await api.Temp.ExecuteAsync("UPDATE upstream_files SET state = 'refused'");

        (await api.GetAsync(Path)).Status.ShouldBe(302);

        api.Bells.Take().ShouldBeEmpty();
        (await api.Temp.LongAsync("SELECT COUNT(*) FROM upstream_files WHERE state = 'refused'")).ShouldBe(1);
    }

    [Theory]
    [InlineData("/crates/Serde/Serde-1.0.1.crate")]
    [InlineData("/crates/serde/serde-1.0.0+meta.crate")]
    [InlineData("/crates/other/other-1.0.0.crate")]
    public async Task What_no_line_names_is_nowhere(string path)
    {
        await using var api = await SeedAsync("on-demand");
        (await api.GetAsync(path)).Status.ShouldBe(404);
        (await api.CountAsync("upstream_files")).ShouldBe(0);
    }

    [Fact]
    public async Task A_crate_that_a_local_one_shadows_is_not_served()
    {
        await using var api = await SeedAsync("on-demand");
        await KeepAsync(api);
        await api.Temp.ExecuteAsync("UPDATE crates SET served = FALSE");

        (await api.GetAsync(Path)).Status.ShouldBe(404);
    }

    [Fact]
    public async Task Where_the_upstream_has_its_files_must_be_known()
    {
        await using var api = await SeedAsync("on-demand");
        await api.Temp.ExecuteAsync("UPDATE upstreams SET config = NULL");

        (await api.GetAsync(Path)).ShouldFail(503, "Service unavailable: where `crates-io` has its files is not known yet");
    }

    private static byte[] Line(string checksum) =>
        Encoding.UTF8.GetBytes($$"""{"name":"Serde","vers":"1.0.0+meta","deps":[],"cksum":"{{checksum}}","features":{},"yanked":false}""" + "\n");

    private static async Task<ApiFixture> SeedAsync(string mode)
    {
        var api = await ApiFixture.CreateAsync();
        await api.Temp.ExecuteAsync(
            """
            INSERT INTO upstreams (name, index_url, mode, every_us, added_at, config) VALUES ('crates-io', 'https://index.example/', $1, 1, 1, '{"dl":"https://static.example/crates"}')
            """,
            mode);
        await api.Temp.ExecuteAsync(
            """
            INSERT INTO crates (source, canonical, name, revision, num_versions, default_version, last_published_at, created_at, updated_at, upstream_file)
            VALUES ('crates-io', 'serde', 'Serde', 1, 1, '1.0.0+meta', 1, 1, 1, $1)
            """,
            Line(Sum));
        return api;
    }

    private static async Task KeepAsync(ApiFixture api)
    {
        await api.Store.PutAsync(Key, Content);
        await api.Temp.ExecuteAsync(
            """
            INSERT INTO upstream_files (crate_id, num, checksum, state, object_key, size, wanted_at, kept_at, used_at)
            SELECT id, '1.0.0+meta', $1, 'kept', $2, 18, 1, 1, now_us() FROM crates
            """,
            Sum, Key);
    }
}
