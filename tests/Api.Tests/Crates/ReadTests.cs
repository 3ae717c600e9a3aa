using System.Text.Json;
using Pipeline.Registry.Database;

namespace Pipeline.Api.Tests.Crates;

public class ReadTests
{
    [Fact]
    public async Task A_crate_has_every_member_of_the_wire_shape_in_its_order()
    {
        await using var fixture = await ApiFixture.CreateAsync();
        await fixture.PublishAsync("ann", "Foo", "1.0.0", description: "says \"hi\" <b>", keywords: ["cli"], categories: ["command-line-utilities"]);
        var answer = await fixture.GetAsync("/api/v1/crates/foo?include=");
        answer.Text.ShouldBe(
            """
            {"crate":{"id":"Foo","name":"Foo","updated_at":"2026-01-02T03:04:06.000000Z","versions":null,"keywords":null,"categories":null,"badges":[],
            "created_at":"2026-01-02T03:04:06.000000Z","downloads":0,"recent_downloads":null,"default_version":"1.0.0","num_versions":1,"yanked":false,
            "max_version":"1.0.0","newest_version":"1.0.0","max_stable_version":"1.0.0","description":"says \"hi\" <b>","homepage":null,"documentation":null,"repository":null,
            "links":{"version_downloads":"/api/v1/crates/Foo/downloads","versions":"/api/v1/crates/Foo/versions","owners":"/api/v1/crates/Foo/owners",
            "owner_team":"/api/v1/crates/Foo/owner_team","owner_user":"/api/v1/crates/Foo/owner_user",
            "reverse_dependencies":"/api/v1/crates/Foo/reverse_dependencies"},"exact_match":false,"trustpub_only":false},
            "versions":null,"keywords":null,"categories":null}
            """.ReplaceLineEndings(""));
        answer.Headers["Content-Type"].ShouldBe("application/json");
    }

    [Fact]
    public async Task A_full_crate_shows_its_versions_latest_first_with_what_was_done_to_them()
    {
        await using var fixture = await ApiFixture.CreateAsync();
        await fixture.PublishAsync("ann", "foo", "1.0.0", keywords: ["cli"], categories: ["parsing"]);
        await fixture.PublishAsync("ann", "foo", "2.0.0-rc.1", keywords: ["cli"], categories: ["parsing"]);
        await fixture.SendAsync("DELETE", "/api/v1/crates/foo/1.0.0/yank", await fixture.TokenAsync("ann"));
        var json = (await fixture.GetAsync("/api/v1/crates/foo")).Json;
        json.GetProperty("versions").EnumerateArray().Select(version => version.GetProperty("num").GetString()).ShouldBe(["2.0.0-rc.1", "1.0.0"]);
        json.GetProperty("crate").GetProperty("versions").EnumerateArray().Select(id => id.GetInt64()).ShouldBe([2, 1]);
        json.GetProperty("versions")[1].GetProperty("audit_actions").EnumerateArray().Select(action => action.GetProperty("action").GetString()).ShouldBe(["publish", "yank"]);
        json.GetProperty("keywords")[0].GetProperty("keyword").GetString().ShouldBe("cli");
        json.GetProperty("categories")[0].GetProperty("slug").GetString().ShouldBe("parsing");
        var crate = json.GetProperty("crate");
        crate.GetProperty("default_version").GetString().ShouldBe("2.0.0-rc.1");
        crate.GetProperty("max_version").GetString().ShouldBe("2.0.0-rc.1");
        crate.GetProperty("max_stable_version").ValueKind.ShouldBe(JsonValueKind.Null);
        json.GetProperty("crate").GetProperty("keywords")[0].GetString().ShouldBe("cli");
    }

    [Theory]
    [InlineData("keywords", "keywords")]
    [InlineData("versions,categories", "versions categories")]
    [InlineData("default_version", "versions")]
    [InlineData("badges", "")]
    public async Task Only_what_is_asked_for_is_shown(string include, string shown)
    {
        await using var fixture = await ApiFixture.CreateAsync();
        await fixture.PublishAsync("ann", "foo", "1.0.0");
        var json = (await fixture.GetAsync($"/api/v1/crates/foo?include={include}")).Json;
        var present = new[] { "versions", "keywords", "categories" }.Where(part => json.GetProperty(part).ValueKind != JsonValueKind.Null);
        string.Join(' ', present).ShouldBe(shown);
    }

    [Fact]
    public async Task A_version_has_every_member_of_the_wire_shape_in_its_order()
    {
        await using var fixture = await ApiFixture.CreateAsync();
        await fixture.PublishAsync("ann", "Foo", "1.0.0+meta");
        const string User = """{"id":1,"login":"ann","name":"ann the user","avatar":null,"url":"https://crates.example/api/v1/users/ann"}""";
        var checksum = await fixture.Temp.TextAsync("SELECT checksum FROM versions");
        (await fixture.GetAsync("/api/v1/crates/foo/1.0.0+meta")).Text.ShouldBe(
            $$$"""
            {"version":{"id":1,"crate":"Foo","num":"1.0.0+meta","dl_path":"/api/v1/crates/Foo/1.0.0+meta/download","readme_path":"/api/v1/crates/Foo/1.0.0+meta/readme",
            "updated_at":"2026-01-02T03:04:06.000000Z","created_at":"2026-01-02T03:04:06.000000Z","downloads":0,"features":{"default":["std"],"std":[]},
            "yanked":false,"yank_message":null,"lib_links":null,"license":"MIT","links":{"dependencies":"/api/v1/crates/Foo/1.0.0+meta/dependencies",
            "version_downloads":"/api/v1/crates/Foo/1.0.0+meta/downloads","authors":"/api/v1/crates/Foo/1.0.0+meta/authors"},"crate_size":27,
            "published_by":{{{User}}},"audit_actions":[{"action":"publish","user":{{{User}}},"time":"2026-01-02T03:04:06.000000Z"}],"checksum":"{{{checksum}}}",
            "rust_version":null,"has_lib":true,"bin_names":["tool"],"edition":null,"description":null,"homepage":null,"documentation":null,"repository":null,
            "trustpub_data":null,"linecounts":null}}
            """.ReplaceLineEndings(""));
    }

    [Theory]
    [InlineData("/api/v1/crates/nope", 404, "crate `nope` does not exist")]
    [InlineData("/api/v1/crates/a%20b/owners", 404, "crate `a b` does not exist")]
    [InlineData("/api/v1/crates/nope/1.0.0", 404, "crate `nope` does not exist")]
    [InlineData("/api/v1/crates/nope/versions", 404, "crate `nope` does not exist")]
    [InlineData("/api/v1/crates/nope/reverse_dependencies", 404, "crate `nope` does not exist")]
    [InlineData("/api/v1/crates/nope/downloads", 404, "crate `nope` does not exist")]
    [InlineData("/api/v1/crates/foo/2.0.0", 404, "crate `foo` does not have a version `2.0.0`")]
    [InlineData("/api/v1/crates/foo/2.0.0/dependencies", 404, "crate `foo` does not have a version `2.0.0`")]
    [InlineData("/api/v1/crates/foo/x/authors", 400, "\"x\" is an invalid semver version")]
    [InlineData("/api/v1/crates/foo/1.0.0/readme", 404, "version `1.0.0` of crate `foo` has no readme")]
    [InlineData("/api/v1/crates/foo?include=all", 400, "invalid component for ?include= (expected 'versions', 'keywords', 'categories', 'badges', 'downloads', 'default_version', or 'full')")]
    [InlineData("/api/v1/users/nobody", 404, "Not Found")]
    [InlineData("/nothing/here", 404, "Not Found")]
    [InlineData("/api/v1/me/tokens/abc", 404, "Not Found")]
    public async Task What_is_not_there_is_said_in_the_shape_that_cargo_reads(string path, int status, string text)
    {
        await using var fixture = await ApiFixture.CreateAsync();
        await fixture.PublishAsync("ann", "foo", "1.0.0");
        (await fixture.GetAsync(path)).ShouldFail(status, text);
    }

    [Fact]
    public async Task A_method_that_a_path_does_not_take_is_refused_and_HEAD_has_no_body()
    {
        await using var fixture = await ApiFixture.CreateAsync();
        await fixture.PublishAsync("ann", "foo", "1.0.0");
        (await fixture.SendAsync("POST", "/api/v1/crates/foo/owners", null, "{}")).ShouldFail(405, "Method Not Allowed");
        var head = await fixture.SendAsync("HEAD", "/nothing/here");
        (head.Status, head.Body.Length).ShouldBe((404, 0));
        head = await fixture.SendAsync("HEAD", "/api/v1/crates/foo");
        (head.Status, head.Body.Length).ShouldBe((200, 0));
        head.Headers["Content-Length"].ShouldBe((await fixture.GetAsync("/api/v1/crates/foo")).Body.Length.ToString(System.Globalization.CultureInfo.InvariantCulture));
    }

    [Fact]
    public async Task Dependencies_are_shown_with_the_ids_that_readers_expect()
    {
        await using var fixture = await ApiFixture.CreateAsync();
        await fixture.PublishAsync("ann", "foo", "1.0.0", dependsOn: ["zed", "abc"]);
        (await fixture.GetAsync("/api/v1/crates/foo/1.0.0/dependencies")).Text.ShouldBe(
            """
            {"dependencies":[{"id":1000,"version_id":1,"crate_id":"abc","req":"^1","optional":false,"default_features":true,"features":[],"target":null,"kind":"normal","downloads":0},
            {"id":1001,"version_id":1,"crate_id":"zed","req":"^1","optional":false,"default_features":true,"features":[],"target":null,"kind":"normal","downloads":0}]}
            """.ReplaceLineEndings(""));
    }

    [Fact]
    public async Task Reverse_dependencies_are_those_of_default_versions_that_are_not_yanked()
    {
        await using var fixture = await ApiFixture.CreateAsync();
        await fixture.PublishAsync("ann", "foo", "1.0.0");
        await fixture.PublishAsync("ann", "now", "1.0.0", dependsOn: ["foo"]);
        await fixture.PublishAsync("ann", "once", "1.0.0", dependsOn: ["foo"]);
        await fixture.PublishAsync("ann", "once", "1.1.0");
        await fixture.PublishAsync("ann", "yanked", "1.0.0", dependsOn: ["foo"]);
        await fixture.SendAsync("DELETE", "/api/v1/crates/yanked/1.0.0/yank", await fixture.TokenAsync("ann"));
        var json = (await fixture.GetAsync("/api/v1/crates/foo/reverse_dependencies")).Json;
        json.GetProperty("meta").GetProperty("total").GetInt32().ShouldBe(1);
        json.GetProperty("versions")[0].GetProperty("crate").GetString().ShouldBe("now");
        json.GetProperty("dependencies")[0].GetProperty("crate_id").GetString().ShouldBe("foo");
        json.GetProperty("dependencies")[0].GetProperty("version_id").GetInt64().ShouldBe(json.GetProperty("versions")[0].GetProperty("id").GetInt64());
    }

    [Fact]
    public async Task Versions_are_listed_by_precedence_or_date_and_in_parts_on_request()
    {
        await using var fixture = await ApiFixture.CreateAsync();
        foreach (var version in new[] { "1.0.0", "10.0.0", "2.0.0", "10.0.0-rc.1" }) await fixture.PublishAsync("ann", "foo", version);
        (await Numbers(fixture, "")).ShouldBe(("10.0.0, 10.0.0-rc.1, 2.0.0, 1.0.0", null));
        (await Numbers(fixture, "?sort=date")).ShouldBe(("10.0.0-rc.1, 2.0.0, 10.0.0, 1.0.0", null));
        var (first, next) = await Numbers(fixture, "?per_page=3");
        first.ShouldBe("10.0.0, 10.0.0-rc.1, 2.0.0");
        (await Numbers(fixture, next!)).ShouldBe(("1.0.0", null));
        (await fixture.GetAsync("/api/v1/crates/foo/versions?page=2")).ShouldFail(400, "?page= is not supported for this request");
    }

    [Theory]
    [InlineData("application/json", 200)]
    [InlineData("text/html, Application/JSON;q=0.1", 200)]
    [InlineData("*/*", 302)]
    public async Task A_download_is_a_redirect_or_a_URL_in_JSON(string accept, int status)
    {
        await using var fixture = await ApiFixture.CreateAsync();
        const string Url = "https://crates.example/crates/Foo/Foo-1.0.0%2Bmeta.crate";
        var answer = await fixture.GetAsync("/api/v1/crates/Foo/1.0.0+meta/download", null, ("Accept", accept));
        answer.Status.ShouldBe(status);
        answer.Headers["Vary"].ShouldBe("accept");
        if (status == 302) answer.Headers["Location"].ShouldBe(Url);
        else answer.Text.ShouldBe($$"""{"url":"{{Url}}"}""");
    }

    [Theory]
    [InlineData("/api/v1/crates/..%5C..%5Cx/1.0.0/download")]
    [InlineData("/api/v1/crates/x%0d%0aSet-Cookie:a/1.0.0/download")]
    public async Task A_download_leads_nowhere_else(string path)
    {
        await using var fixture = await ApiFixture.CreateAsync();
        (await fixture.GetAsync(path)).Status.ShouldBe(404);
    }

    [Fact]
    public async Task A_readme_is_plain_text_that_no_browser_takes_for_a_page()
    {
        await using var fixture = await ApiFixture.CreateAsync();
        await fixture.PublishAsync("ann", "foo", "1.0.0", readme: "# Foo <script>alert(1)</script>");
        var answer = await fixture.GetAsync("/api/v1/crates/foo/1.0.0/readme");
        answer.Text.ShouldBe("# Foo <script>alert(1)</script>");
        answer.Headers["Content-Type"].ShouldBe("text/plain; charset=utf-8");
        answer.Headers["X-Content-Type-Options"].ShouldBe("nosniff");
    }

    [Theory]
    [InlineData("/api/v1/crates/foo/1.0.0/authors", """{"users":[],"meta":{"names":[]}}""")]
    [InlineData("/api/v1/crates/foo/1.0.0/downloads", """{"version_downloads":[]}""")]
    [InlineData("/api/v1/crates/foo/downloads", """{"version_downloads":[],"meta":{"extra_downloads":[]}}""")]
    public async Task What_is_not_kept_here_is_empty(string path, string text)
    {
        await using var fixture = await ApiFixture.CreateAsync();
        await fixture.PublishAsync("ann", "foo", "1.0.0");
        (await fixture.GetAsync(path)).Text.ShouldBe(text);
    }

    [Fact]
    public async Task The_summary_shows_the_newest_and_the_last_changed()
    {
        await using var fixture = await ApiFixture.CreateAsync();
        await fixture.PublishAsync("ann", "old", "1.0.0");
        await fixture.PublishAsync("ann", "new", "1.0.0");
        await fixture.PublishAsync("ann", "old", "1.1.0");
        var json = (await fixture.GetAsync("/api/v1/summary")).Json;
        json.GetProperty("num_crates").GetInt32().ShouldBe(2);
        json.GetProperty("new_crates").EnumerateArray().Select(crate => crate.GetProperty("name").GetString()).ShouldBe(["new", "old"]);
        json.GetProperty("just_updated").EnumerateArray().Select(crate => crate.GetProperty("name").GetString()).ShouldBe(["old", "new"]);
    }

    [Fact]
    public async Task The_highest_version_is_found_in_an_index_and_not_by_reading_all()
    {
        await using var fixture = await ApiFixture.CreateAsync();
        const string Query = "SELECT v.num FROM versions v WHERE v.crate_id = 1 AND v.state = 'active' AND NOT v.yanked ORDER BY v.sort_key DESC LIMIT 1";
        var plan = await fixture.Temp.Database.WriteAsync(async sql =>
        {
            if (sql.Dialect == Dialect.Sqlite) return await sql.QueryAsync($"EXPLAIN QUERY PLAN {Query}", row => row.Text(3));
            // On an empty table PostgreSQL reads all there is unless it is told not to; a sort would still show.
            await sql.ExecuteAsync("SET LOCAL enable_seqscan = off");
            await sql.ExecuteAsync("SET LOCAL enable_bitmapscan = off");
            return await sql.QueryAsync($"EXPLAIN (COSTS OFF) {Query}", row => row.Text(0).Trim());
        }, TestContext.Current.CancellationToken);
        plan.ShouldBe(fixture.Temp.Database.Dialect == Dialect.Sqlite
            ? ["SEARCH v USING INDEX versions_in_force (crate_id=?)"]
            : ["Limit", "->  Index Scan Backward using versions_in_force on versions v", "Index Cond: (crate_id = 1)"]);
    }

    private static async Task<(string Numbers, string? Next)> Numbers(ApiFixture fixture, string query)
    {
        var answer = await fixture.GetAsync($"/api/v1/crates/foo/versions{query}");
        answer.Status.ShouldBe(200, answer.Text);
        var numbers = string.Join(", ", answer.Json.GetProperty("versions").EnumerateArray().Select(version => version.GetProperty("num").GetString()));
        answer.Json.GetProperty("meta").GetProperty("total").GetInt32().ShouldBe(4);
        return (numbers, answer.Json.GetProperty("meta").GetProperty("next_page").GetString());
    }
}
