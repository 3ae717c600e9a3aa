using System.Diagnostics;
using Pipeline.Registry.Options;
using static Pipeline.Workers.Tests.Fetching.FetchFixture;

namespace Pipeline.Workers.Tests.Fetching;

/// <summary>What an upstream can do to us with its files. Each time there is a good crate beside the bad one: nothing stops the rest.</summary>
public sealed class BadFilesTests
{
    [Fact]
    public async Task Bytes_that_the_index_does_not_name_are_refused_and_never_stand_under_the_key()
    {
        await using var mirror = await StartAsync();
        var archives = await mirror.ServeAsync("bad", "good");
        mirror.Files.File("/bad/1.0.0", [.. "something else"u8]);

        await mirror.FetchAsync();

        await OnlyGoodAsync(mirror, archives, "refused", "wrong-checksum bad");
        (await mirror.Harness.TextAsync("SELECT text FROM failures")).ShouldStartWith("bad 1.0.0 of crates-io: the 14 bytes that came have the checksum ");

        // Replayed when the upstream has the right ones again.
        mirror.Files.File("/bad/1.0.0", archives["bad"]);
        await FetchCrateConsumerTests.ReplayAllAsync(mirror);
        await mirror.FetchAsync();
        (await mirror.BytesAsync("bad", archives["bad"])).ShouldBe(archives["bad"]);
        (await mirror.FailuresAsync()).ShouldBeEmpty();
    }

    [Theory]
    [InlineData(500)]
    [InlineData(503)]
    [InlineData(429)]
    public async Task An_upstream_that_is_in_trouble_is_asked_again_later(int status)
    {
        await using var mirror = await StartAsync();
        var archives = await mirror.ServeAsync("bad", "good");
        mirror.Files.Status("/bad/1.0.0", status);

        await mirror.FetchAsync();

        await OnlyGoodAsync(mirror, archives, "wanted", "upstream-status bad");
        (await mirror.Harness.LongAsync("SELECT COUNT(*) FROM upstream_files WHERE state = 'wanted' AND next_try_at > now_us()")).ShouldBe(1);
        await mirror.FetchAsync();
        mirror.Files.Asked.Count(static path => path == "/bad/1.0.0").ShouldBe(1);

        await ComesAsync(mirror, archives["bad"]);
    }

    [Fact]
    public async Task A_file_that_the_upstream_does_not_have_is_not_asked_for_again_by_itself()
    {
        await using var mirror = await StartAsync();
        var archives = await mirror.ServeAsync("bad", "good");
        mirror.Files.Status("/bad/1.0.0", 404);

        await mirror.FetchAsync();

        await OnlyGoodAsync(mirror, archives, "refused", "upstream-status bad");
    }

    [Fact]
    public async Task A_body_that_is_cut_is_fetched_again_later()
    {
        await using var mirror = await StartAsync();
        var archives = await mirror.ServeAsync("bad", "good");
        mirror.Files.Cut("/bad/1.0.0", archives["bad"][..20], archives["bad"].Length);

        await mirror.FetchAsync();

        await OnlyGoodAsync(mirror, archives, "wanted", "upstream-cut bad");
        await ComesAsync(mirror, archives["bad"]);
    }

    [Fact]
    public async Task A_body_that_does_not_come_is_given_up_and_holds_up_nobody()
    {
        await using var mirror = await StartAsync(options: new MirrorOptions { IdleSeconds = 1.5, FileConcurrency = 2 });
        var archives = await mirror.ServeAsync("bad", "good", "better", "best");
        mirror.Files.Stall("/bad/1.0.0");

        await mirror.FetchAsync();

        await OnlyGoodAsync(mirror, archives, "wanted", "upstream-slow bad");
        await ComesAsync(mirror, archives["bad"]);
    }

    [Fact]
    public async Task A_body_that_comes_drop_by_drop_is_given_up_after_the_time_of_a_file()
    {
        await using var mirror = await StartAsync(options: new MirrorOptions { IdleSeconds = 30, FileSeconds = 1 });
        var archives = await mirror.ServeAsync("bad", "good");
        mirror.Files.On("/bad/1.0.0", async (stream, stop) =>
        {
            await FileServer.HeadAsync(stream, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n", stop);
            while (true)
            {
                await stream.WriteAsync(new byte[1], stop);
                await Task.Delay(50, stop);
            }
        });

        await mirror.FetchAsync();

        await OnlyGoodAsync(mirror, archives, "wanted", "upstream-slow bad");
    }

    [Fact]
    public async Task A_file_of_5_GB_is_refused_by_its_length()
    {
        await using var mirror = await StartAsync();
        var archives = await mirror.ServeAsync("bad", "good");
        mirror.Files.Cut("/bad/1.0.0", [], 5_000_000_000);

        await mirror.FetchAsync();

        await OnlyGoodAsync(mirror, archives, "refused", "file-too-large bad");
    }

    [Fact]
    public async Task A_file_of_5_GB_without_a_length_is_cut_at_the_bound()
    {
        const long bound = 8 << 20;
        await using var mirror = await StartAsync(options: new MirrorOptions { MaxFileBytes = bound, IdleSeconds = 5 });
        var archives = await mirror.ServeAsync("bad", "good");
        long sent = 0;
        mirror.Files.Endless("/bad/1.0.0", total => sent = total);

        await mirror.FetchAsync();

        await OnlyGoodAsync(mirror, archives, "refused", "file-too-large bad");
        // What the system's buffers hold was sent, too.
        sent.ShouldBeInRange(bound - (1 << 20), bound + (32 << 20));
    }

    [Theory]
    [InlineData("file:///etc/passwd", "odd-redirect")]
    [InlineData("ftp://127.0.0.1/x", "odd-redirect")]
    [InlineData("http://user:word@127.0.0.1/x", "odd-redirect")]
    [InlineData("http://", "odd-redirect")]
    [InlineData("/bad/1.0.0", "too-many-redirects")]
    [InlineData("http://169.254.169.254/latest/meta-data", "forbidden-address")]
    [InlineData("http://10.0.0.1/", "forbidden-address")]
    [InlineData("http://[::ffff:10.0.0.1]/", "forbidden-address")]
    [InlineData("http://0.0.0.0:1/", "forbidden-address")]
    public async Task A_redirect_to_an_odd_place_is_not_followed(string location, string code)
    {
        await using var mirror = await StartAsync();
        var archives = await mirror.ServeAsync("bad", "good");
        mirror.Files.Redirect("/bad/1.0.0", location);

        await mirror.FetchAsync();

        await OnlyGoodAsync(mirror, archives, "refused", $"{code} bad");
    }

    [Fact]
    public async Task A_redirect_to_this_machine_is_followed_only_where_the_operator_said_that_the_upstream_is_there()
    {
        // The index is on another machine, and so is what the operator gave; the loopback is the upstream's own idea.
        await using var mirror = await StartAsync(with: static upstream => upstream);
        var archives = await mirror.ServeAsync("bad", "good");
        await mirror.Harness.ExecuteAsync("UPDATE upstreams SET index_url = 'https://index.example/', dl_url = NULL, config = $1", $$"""{"dl":"{{mirror.Files.Dl}}"}""");

        await mirror.FetchAsync();

        (await mirror.FailuresAsync()).ShouldBe(["forbidden-address bad", "forbidden-address good"]);
        mirror.Files.Asked.ShouldBeEmpty();

        await mirror.Harness.ExecuteAsync("UPDATE upstreams SET dl_url = $1", mirror.Files.Dl);
        await FetchCrateConsumerTests.ReplayAllAsync(mirror);
        await mirror.FetchAsync();
        (await mirror.BytesAsync("good", archives["good"])).ShouldBe(archives["good"]);
    }

    [Fact]
    public async Task A_few_redirects_are_followed_and_the_bytes_are_checked_all_the_same()
    {
        await using var mirror = await StartAsync();
        var archives = await mirror.ServeAsync("moved");
        mirror.Files.Redirect("/moved/1.0.0", "/elsewhere");
        mirror.Files.Redirect("/elsewhere", $"{mirror.Files.Url}/there?a=b");
        mirror.Files.File("/there?a=b", archives["moved"]);

        await mirror.FetchAsync();

        (await mirror.BytesAsync("moved", archives["moved"])).ShouldBe(archives["moved"]);
    }

    [Fact]
    public async Task An_upstream_that_is_away_is_not_tried_with_every_file()
    {
        await using var mirror = await StartAsync(options: new MirrorOptions { FileConcurrency = 2 });
        var names = Enumerable.Range(0, 60).Select(static i => $"crate-{i}").ToArray();
        await mirror.ServeAsync(names);
        foreach (var name in names) mirror.Files.Status($"/{name}/1.0.0", 502);

        await mirror.FetchAsync();

        mirror.Files.Asked.Count.ShouldBeInRange(8, 12);
        (await mirror.FailuresAsync()).Count.ShouldBe(mirror.Files.Asked.Count);
        (await mirror.Harness.LongAsync("SELECT COUNT(*) FROM upstream_files WHERE taken_by IS NOT NULL")).ShouldBe(0);
    }

    [Fact]
    public async Task An_upstream_whose_files_are_nowhere_is_a_failure_and_is_looked_at_again()
    {
        await using var mirror = await StartAsync(with: static upstream => upstream with { DlUrl = null });
        await mirror.ServeAsync("one");

        await mirror.FetchAsync();

        (await mirror.FailuresAsync()).ShouldBe(["upstream-unknown one"]);
        (await mirror.StateAsync("one")).ShouldBe("wanted");
    }

    [Fact]
    public async Task Bytes_come_no_faster_than_they_may()
    {
        await using var mirror = await StartAsync(options: new MirrorOptions { BytesPerSecond = 2000, IdleSeconds = 0.4 });
        var archives = await mirror.ServeAsync("one", "two", "three", "four", "five");
        var total = archives.Values.Sum(static archive => archive.Length);

        var started = Stopwatch.GetTimestamp();
        await mirror.FetchAsync();

        // The last file's bytes are not waited for; and the wait is nobody's silence.
        var most = archives.Values.Max(static archive => archive.Length);
        Stopwatch.GetElapsedTime(started).TotalSeconds.ShouldBeGreaterThan((total - most) / 2000.0 * 0.9);
        (await mirror.FailuresAsync()).ShouldBeEmpty();
    }

    private static async Task OnlyGoodAsync(FetchFixture mirror, Dictionary<string, byte[]> archives, string state, string failure)
    {
        (await mirror.FailuresAsync()).ShouldBe([failure]);
        (await mirror.StateAsync("bad")).ShouldBe(state);
        (await mirror.BytesAsync("bad", archives["bad"])).ShouldBeNull();
        foreach (var (name, archive) in archives.Where(static pair => pair.Key != "bad")) (await mirror.BytesAsync(name, archive)).ShouldBe(archive);
    }

    /// <summary>The upstream has the file after all, and the time for the next try has come.</summary>
    private static async Task ComesAsync(FetchFixture mirror, byte[] archive)
    {
        mirror.Files.File("/bad/1.0.0", archive);
        await mirror.Harness.ExecuteAsync("UPDATE upstream_files SET next_try_at = 0 WHERE state = 'wanted'");
        await mirror.FetchAsync();
        (await mirror.BytesAsync("bad", archive)).ShouldBe(archive);
        (await mirror.FailuresAsync()).ShouldBeEmpty();
    }
}
