using Pipeline.Workers.Search;

namespace Pipeline.Api.Tests.Search;

public class SearchTests
{
    [Fact]
    public async Task The_answer_has_what_cargo_search_reads()
    {
        await using var fixture = await SeedAsync();
        var json = (await fixture.GetAsync("/api/v1/crates?q=json%2Dtool&per_page=10")).Json;
        json.GetProperty("meta").GetProperty("total").GetInt64().ShouldBe(1);
        var crate = json.GetProperty("crates")[0];
        crate.GetProperty("name").GetString().ShouldBe("json_tool");
        crate.GetProperty("max_version").GetString().ShouldBe("1.0.0");
        crate.GetProperty("description").GetString().ShouldBe("A tool");
        crate.GetProperty("exact_match").GetBoolean().ShouldBeTrue();
    }

    [Theory]
    [InlineData("?q=json", "json, json-parser, json_tool, fast-json, text")]
    [InlineData("?q=JSON", "json, json-parser, json_tool, fast-json, text")]
    [InlineData("?q=json+fast", "fast-json")]
    [InlineData("?q=json%2Bfast", "fast-json")]
    [InlineData("?q=parser+cli", "json-parser")]
    [InlineData("?q=%25", "")]
    [InlineData("?q=jso_", "")]
    [InlineData("?q=nothing", "")]
    [InlineData("", "fast-json, json, json-parser, json_tool, text")]
    [InlineData("?sort=downloads", "fast-json, json, json-parser, json_tool, text")]
    [InlineData("?sort=new", "text, json_tool, json-parser, json, fast-json")]
    [InlineData("?sort=recent-updates", "fast-json, text, json_tool, json-parser, json")]
    [InlineData("?q=text&sort=alphabetical", "text")]
    [InlineData("?keyword=cli", "fast-json, json-parser")]
    [InlineData("?keyword=cl", "")]
    [InlineData("?all_keywords=cli%20fast", "fast-json")]
    [InlineData("?all_keywords=cli&keyword=nothing", "fast-json, json-parser")]
    [InlineData("?letter=T", "text")]
    [InlineData("?category=parsing", "json, text")]
    [InlineData("?category=parsing::json", "json")]
    [InlineData("?category=pars", "")]
    [InlineData("?user_id=2", "text")]
    [InlineData("?user_id=99", "")]
    [InlineData("?ids[]=json&ids[]=text&ids[]=nope", "json, text")]
    [InlineData("?include_yanked=yes&letter=y", "yanked")]
    [InlineData("?q=yanked", "")]
    [InlineData("?q=json&per_page=2", "json, json-parser")]
    [InlineData("?q=json&per_page=2&page=2", "json_tool, fast-json")]
    [InlineData("?q=json&page=9", "")]
    public async Task It_finds(string query, string names)
    {
        await using var fixture = await SeedAsync();
        (await NamesAsync(fixture, query)).ShouldBe(names);
    }

    [Theory]
    [InlineData("?per_page=101", "cannot request more than 100 items")]
    [InlineData("?per_page=x", "invalid per_page parameter")]
    [InlineData("?page=0", "page indexing starts from 1, page 0 is invalid")]
    [InlineData("?page=-1", "invalid page parameter")]
    [InlineData("?page=201", "Page 201 is unavailable for performance reasons.")]
    [InlineData("?page=1&seek=abc", "providing both ?page= and ?seek= is unsupported")]
    [InlineData("?seek=abc", "invalid seek parameter")]
    [InlineData("?seek=", "invalid seek parameter")]
    [InlineData("?seek=WzEsMl0", "invalid seek parameter")]
    [InlineData("?letter=ab", "letter value must contain 1 character")]
    [InlineData("?user_id=x", "invalid user_id parameter")]
    [InlineData("?q=a&page=101", "Cannot page beyond the first 1000 results when sorting by relevance.")]
    public async Task What_makes_no_sense_is_refused(string query, string text)
    {
        await using var fixture = await ApiFixture.CreateAsync();
        (await fixture.GetAsync($"/api/v1/crates{query}")).ShouldFail(400, text);
    }

    [Theory]
    [InlineData("?q=json&per_page=2")]
    [InlineData("?per_page=2&sort=new")]
    [InlineData("?per_page=1&sort=recent-updates")]
    [InlineData("?page=1&per_page=2")]
    public async Task Following_the_next_page_shows_everything_once(string query)
    {
        await using var fixture = await SeedAsync();
        var seen = new List<string>();
        for (var next = query; next is not null;)
        {
            var json = (await fixture.GetAsync($"/api/v1/crates{next}")).Json;
            seen.AddRange(json.GetProperty("crates").EnumerateArray().Select(crate => crate.GetProperty("name").GetString()!));
            next = json.GetProperty("meta").GetProperty("next_page").GetString();
            seen.Count.ShouldBeLessThan(10);
        }

        seen.Order(StringComparer.Ordinal).ShouldBe(["fast-json", "json", "json-parser", "json_tool", "text"]);
    }

    [Fact]
    public async Task Pages_that_are_numbered_lead_back_too()
    {
        await using var fixture = await SeedAsync();
        var meta = (await fixture.GetAsync("/api/v1/crates?q=json&page=2&per_page=2")).Json.GetProperty("meta");
        meta.GetProperty("prev_page").GetString().ShouldBe("?q=json&per_page=2&page=1");
        meta.GetProperty("next_page").GetString().ShouldBe("?q=json&per_page=2&page=3");
    }

    [Fact]
    public async Task What_the_projection_follows_later_is_found_from_then_on()
    {
        await using var fixture = await SeedAsync();
        (await NamesAsync(fixture, "?q=late")).ShouldBe("");
        await fixture.PublishAsync("bob", "late", "1.0.0");
        await fixture.SendAsync("DELETE", "/api/v1/crates/text/1.0.0/yank", await fixture.TokenAsync("bob"));
        (await NamesAsync(fixture, "?user_id=2")).ShouldBe("text");

        await FollowAsync(fixture);

        (await NamesAsync(fixture, "?q=late")).ShouldBe("late");
        (await NamesAsync(fixture, "?user_id=2")).ShouldBe("late");
    }

    [Fact]
    public async Task A_projection_made_anew_is_fetched_anew()
    {
        await using var fixture = await SeedAsync();
        (await NamesAsync(fixture, "?q=text")).ShouldBe("text");

        await fixture.Temp.ExecuteAsync("DELETE FROM search WHERE name = 'text'");
        await fixture.Temp.ExecuteAsync("UPDATE search_progress SET generation = generation + 1");

        (await NamesAsync(fixture, "?q=text")).ShouldBe("");
        (await NamesAsync(fixture, "?q=json")).ShouldBe("json, json-parser, json_tool, fast-json");
    }

    private static async Task<string> NamesAsync(ApiFixture fixture, string query)
    {
        var answer = await fixture.GetAsync($"/api/v1/crates{query}");
        answer.Status.ShouldBe(200, answer.Text);
        return string.Join(", ", answer.Json.GetProperty("crates").EnumerateArray().Select(crate => crate.GetProperty("name").GetString()));
    }

    private static async Task<ApiFixture> SeedAsync()
    {
        var fixture = await ApiFixture.CreateAsync();
        await fixture.PublishAsync("ann", "fast-json", "1.0.0", keywords: ["cli", "fast"]);
        await fixture.PublishAsync("ann", "json", "1.0.0", categories: ["parsing::json"]);
        await fixture.PublishAsync("ann", "json-parser", "1.0.0", keywords: ["cli"]);
        await fixture.PublishAsync("ann", "json_tool", "1.0.0", description: "A tool");
        await fixture.PublishAsync("bob", "text", "1.0.0", description: "Not only JSON", categories: ["parsing"]);
        await fixture.PublishAsync("ann", "fast-json", "1.1.0", keywords: ["cli", "fast"]);
        await fixture.PublishAsync("ann", "yanked", "1.0.0");
        await fixture.SendAsync("DELETE", "/api/v1/crates/yanked/1.0.0/yank", await fixture.TokenAsync("ann"));
        await FollowAsync(fixture);
        return fixture;
    }

    private static Task FollowAsync(ApiFixture fixture) => new SearchProjection(fixture.Temp.Database, TimeProvider.System).FollowAsync(TestContext.Current.CancellationToken);
}
