using System.Text;
using Pipeline.Contracts.Upstream;
using Pipeline.Workers.Search;

namespace Pipeline.Api.Tests.Admin;

public sealed class AdminUpstreamsTests
{
    private const string Upstreams = "/api/v1/admin/upstreams";
    private static readonly string Sum = new('a', 64);

    [Fact]
    public async Task An_upstream_is_added_shown_changed_synced_and_removed()
    {
        var (fixture, token) = await AdminFixture.CreateAsync();
        await using var api = fixture;

        var added = await api.SendAsync("POST", Upstreams, token, """{"name":"crates-io","index":"https://example.org/index","mode":"on-demand","every_seconds":60,"allow":["serde"]}""");
        added.Status.ShouldBe(201);
        api.Bells.Take().ShouldBe([new SyncUpstream("crates-io")]);
        (await api.SendAsync("POST", Upstreams, token, """{"name":"crates-io","index":"https://example.org/index"}""")).ShouldFail(409, "there is an upstream `crates-io` already");

        var shown = (await api.GetAsync(Upstreams, token)).Json.GetProperty("upstreams")[0];
        shown.GetProperty("mode").GetString().ShouldBe("on-demand");
        shown.GetProperty("collisions").GetString().ShouldBe("local-wins");
        shown.GetProperty("allow_only").GetBoolean().ShouldBeTrue();
        shown.GetProperty("checked_at").GetString().ShouldBeNull();

        var changed = await api.SendAsync("PATCH", $"{Upstreams}/crates-io", token, """{"mode":"full","allow_all":true,"collisions":"refuse"}""");
        changed.Json.GetProperty("upstream").GetProperty("mode").GetString().ShouldBe("full");
        changed.Json.GetProperty("upstream").GetProperty("every_seconds").GetDouble().ShouldBe(60);
        changed.Json.GetProperty("upstream").GetProperty("allow_only").GetBoolean().ShouldBeFalse();
        (await api.Temp.LongAsync("SELECT allow_revision FROM upstreams")).ShouldBe(2);

        (await api.SendAsync("POST", $"{Upstreams}/crates-io/sync", token, """{"accept_removals":true}""")).Status.ShouldBe(202);
        (await api.Temp.LongAsync("SELECT COUNT(*) FROM upstreams WHERE accept_removals")).ShouldBe(1);
        (await api.SendAsync("DELETE", $"{Upstreams}/crates-io", token)).Status.ShouldBe(200);
        (await api.GetAsync(Upstreams, token)).Json.GetProperty("upstreams").GetArrayLength().ShouldBe(0);
        (await api.SendAsync("DELETE", $"{Upstreams}/crates-io", token)).ShouldFail(404, "there is no upstream `crates-io`");
    }

    [Theory]
    [InlineData("""{"name":"x","index":"sparse+https://example.org/"}""", "a sparse index cannot be listed: name the crates to follow with an allow-list, or give the upstream's git index")]
    [InlineData("""{"name":"x","index":"/srv/x","mode":"all"}""", "the mode is one of metadata, on-demand, full")]
    [InlineData("""{"name":"x","index":"/srv/x","every_seconds":1}""", "the interval is between 10 seconds and 7 days")]
    [InlineData("""{"name":"x","index":"/srv/x","allow":["a b"]}""", null)]
    [InlineData("""{"index":"/srv/x"}""", null)]
    public async Task What_cannot_be_followed_is_refused_with_a_sentence(string body, string? text)
    {
        var (fixture, token) = await AdminFixture.CreateAsync();
        await using var api = fixture;

        var answer = await api.SendAsync("POST", Upstreams, token, body);

        answer.Status.ShouldBe(400);
        if (text is not null) answer.Error.ShouldBe(text);
        (await api.CountAsync("upstreams")).ShouldBe(0);
    }

    [Fact]
    public async Task An_upstreams_files_are_counted_by_state_and_those_in_trouble_are_named()
    {
        var (fixture, token) = await AdminFixture.CreateAsync();
        await using var api = fixture;
        await api.SendAsync("POST", Upstreams, token, """{"name":"crates-io","index":"https://example.org/index","mode":"full"}""");
        var lines = string.Concat(Enumerable.Range(0, 5).Select(static i => $$"""{"name":"serde","vers":"1.{{i}}.0","deps":[],"cksum":"{{Sum}}","features":{},"yanked":false}""" + "\n"));
        await api.Temp.ExecuteAsync(
            "INSERT INTO crates (source, canonical, name, revision, num_versions, last_published_at, created_at, updated_at, upstream_file) VALUES ('crates-io', 'serde', 'serde', 1, 5, 1, 1, 1, $1)",
            Encoding.UTF8.GetBytes(lines));
        foreach (var (num, state, size, error) in new (string, string, long?, string?)[]
            { ("1.0.0", "kept", 40, null), ("1.1.0", "kept", 2, null), ("1.2.0", "evicted", null, null), ("1.3.0", "wanted", null, null), ("1.4.0", "refused", null, "other bytes") })
        {
            await api.Temp.ExecuteAsync(
                "INSERT INTO upstream_files (crate_id, num, checksum, state, size, wanted_at, kept_at, last_error, attempts, metadata) SELECT id, $1, $2, $3, $4, 1, $5, $6, 1, $7 FROM crates",
                num, Sum, state, size, state == "kept" ? 1L : null, error, num == "1.1.0" ? """{"description":"Words","license":"MIT","keywords":[],"categories":[]}""" : null);
        }

        var shown = (await api.GetAsync($"{Upstreams}/crates-io", token)).Json;
        shown.GetProperty("upstream").GetProperty("files").GetRawText().ShouldBe("""{"wanted":1,"kept":2,"evicted":1,"refused":1,"kept_bytes":42}""");
        var file = shown.GetProperty("files").EnumerateArray().Single();
        file.GetProperty("version").GetString().ShouldBe("1.4.0");
        file.GetProperty("text").GetString().ShouldBe("other bytes");
        (await api.GetAsync(Upstreams, token)).Json.GetProperty("upstreams")[0].GetProperty("files").GetProperty("kept").GetInt64().ShouldBe(2);
        var version = (await api.GetAsync("/api/v1/crates/serde/1.1.0")).Json.GetProperty("version");
        version.GetProperty("license").GetString().ShouldBe("MIT");
        version.GetProperty("crate_size").GetInt64().ShouldBe(2);
        (await api.GetAsync("/api/v1/crates/serde/1.0.0")).Json.GetProperty("version").GetProperty("license").GetString().ShouldBeNull();
    }

    [Fact]
    public async Task A_name_is_reserved_and_given_back()
    {
        var (fixture, token) = await AdminFixture.CreateAsync();
        await using var api = fixture;

        (await api.SendAsync("PUT", "/api/v1/admin/local-names/my-crate", token, """{"reason":"ours"}""")).Json.GetProperty("changed").GetBoolean().ShouldBeFalse();
        (await api.CountAsync("local_names")).ShouldBe(1);
        (await api.SendAsync("DELETE", "/api/v1/admin/local-names/My_Crate", token)).Status.ShouldBe(200);
        (await api.SendAsync("DELETE", "/api/v1/admin/local-names/my-crate", token)).ShouldFail(404, "the name `my-crate` is not reserved for local crates");
        (await api.SendAsync("PUT", "/api/v1/admin/local-names/7up", token, "{}")).Status.ShouldBe(400);
    }

    [Fact]
    public async Task A_mirrored_crate_is_shown_searched_and_its_versions_are_its_lines()
    {
        var (fixture, _) = await AdminFixture.CreateAsync();
        await using var api = fixture;
        var file =
            $$"""{"name":"Serde","vers":"1.0.0","deps":[{"name":"renamed","package":"other","req":"^1","features":["x"],"optional":true,"default_features":false,"target":null,"kind":"dev"}],"cksum":"{{Sum}}","features":{"a":["b"]},"features2":{"c":["dep:other"]},"yanked":true,"rust_version":"1.60"}""" + "\n"
            + $$"""{"name":"Serde","vers":"1.10.0","deps":"odd","cksum":"{{Sum}}","features":{},"yanked":false}""" + "\n"
            + $$"""{"name":"Serde","vers":"1.9.0","deps":[],"cksum":"{{Sum}}","features":{},"yanked":false}""" + "\n";
        await api.Temp.ExecuteAsync(
            """
            INSERT INTO crates (source, canonical, name, revision, num_versions, default_version, default_rank, last_published_at, created_at, updated_at, upstream_file)
            VALUES ('crates-io', 'serde', 'Serde', 1, 3, '1.10.0', $2, 1, 1, 1, $1)
            """,
            Encoding.UTF8.GetBytes(file), new byte[] { 1, 1 });

        var shown = (await api.GetAsync("/api/v1/crates/serde")).Json;
        shown.GetProperty("crate").GetProperty("name").GetString().ShouldBe("Serde");
        shown.GetProperty("crate").GetProperty("max_version").GetString().ShouldBe("1.10.0");
        shown.GetProperty("versions").EnumerateArray().Select(static one => one.GetProperty("num").GetString()).ShouldBe(["1.9.0", "1.10.0", "1.0.0"]);
        var listed = (await api.GetAsync("/api/v1/crates/serde/versions?per_page=2")).Json;
        listed.GetProperty("versions").EnumerateArray().Select(static one => one.GetProperty("num").GetString()).ShouldBe(["1.10.0", "1.9.0"]);
        var next = listed.GetProperty("meta").GetProperty("next_page").GetString();
        (await api.GetAsync($"/api/v1/crates/serde/versions{next}")).Json.GetProperty("versions").EnumerateArray().Select(static one => one.GetProperty("num").GetString()).ShouldBe(["1.0.0"]);
        var one = (await api.GetAsync("/api/v1/crates/serde/1.0.0")).Json.GetProperty("version");
        one.GetProperty("yanked").GetBoolean().ShouldBeTrue();
        one.GetProperty("features").GetRawText().ShouldBe("""{"a":["b"],"c":["dep:other"]}""");
        one.GetProperty("rust_version").GetString().ShouldBe("1.60");
        var dependency = (await api.GetAsync("/api/v1/crates/serde/1.0.0/dependencies")).Json.GetProperty("dependencies")[0];
        dependency.GetProperty("crate_id").GetString().ShouldBe("other");
        dependency.GetProperty("kind").GetString().ShouldBe("dev");
        (await api.GetAsync("/api/v1/crates/serde/1.10.0/dependencies")).Json.GetProperty("dependencies").GetArrayLength().ShouldBe(0);
        (await api.GetAsync("/api/v1/crates/serde/3.0.0")).Status.ShouldBe(404);
        (await api.GetAsync("/api/v1/crates/serde/1.0.0/readme")).Status.ShouldBe(404);
        // What a sync leaves for the search: one change that names its crates.
        await api.Temp.ExecuteAsync("INSERT INTO changes (at, kind, data) SELECT 1, 'sync', '{\"upstream\":\"crates-io\",\"sync\":1,\"crates\":[' || CAST(id AS TEXT) || ']}' FROM crates");
        await new SearchProjection(api.Temp.Database, TimeProvider.System).FollowAsync(TestContext.Current.CancellationToken);
        (await api.GetAsync("/api/v1/crates?q=serde")).Json.GetProperty("crates")[0].GetProperty("max_version").GetString().ShouldBe("1.10.0");
    }
}
