using System.Net;
using System.Text.Json;

namespace Pipeline.Cli.Tests;

public sealed class WebhookCommandTests
{
    private const string Hook =
        """{"webhook":{"id":3,"url":"https://example.com/","kinds":[],"crates":["foo"],"created_at":"2026-01-02T03:04:05Z","cursor":"MA","behind":7,"attempts":2,"failing":5,"last_error":"no","last_delivered_at":null,"next_try_at":"2026-01-02T03:05:05Z","given_up":1}}""";

    [Fact]
    public async Task Without_a_secret_one_is_made_up_and_printed_alone()
    {
        using var session = new TestSession((_, _) => (HttpStatusCode.Created, Hook));

        (await session.RunAsync("webhook", "add", "https://example.com/", "--kind", "yank", "--crate", "foo", "--since", "start")).ShouldBe(0, session.Error);

        var (line, body, _) = session.Requests.ShouldHaveSingleItem();
        line.ShouldBe("POST /api/v1/admin/webhooks");
        var sent = JsonDocument.Parse(body).RootElement;
        var secret = session.Output.TrimEnd('\n');
        Convert.FromBase64String(secret["whsec_".Length..]).Length.ShouldBe(32);
        sent.GetRawText().ShouldBe($$"""{"url":"https://example.com/","secret":"{{sent.GetProperty("secret").GetRawText().Trim('"')}}","kinds":["yank"],"crates":["foo"],"since":"start"}""");
        sent.GetProperty("secret").GetString().ShouldBe(secret);
        session.Error.ShouldBe("webhook 3 added\n");
    }

    [Fact]
    public async Task A_secret_of_a_file_is_sent_and_not_printed()
    {
        using var session = new TestSession((_, _) => (HttpStatusCode.Created, Hook));
        var file = Path.Combine(session.Data, "secret");
        await File.WriteAllTextAsync(file, "a very secret secret\n", TestContext.Current.CancellationToken);

        (await session.RunAsync("webhook", "add", "https://example.com/", "--secret-file", file)).ShouldBe(0, session.Error);

        session.Requests.ShouldHaveSingleItem().Body.ShouldBe("""{"url":"https://example.com/","secret":"a very secret secret"}""");
        session.Output.ShouldBe("webhook 3 added\n");
        (await session.RunAsync("webhook", "add", "https://example.com/", "--secret-file", file + "x")).ShouldBe(1);
        (await session.RunAsync("webhook", "add", "https://example.com/", "--json")).ShouldBe(2);
    }

    [Fact]
    public async Task Showing_one_says_how_it_stands_and_where_to_look()
    {
        using var session = new TestSession((_, _) => (HttpStatusCode.OK, Hook));

        (await session.RunAsync("webhook", "show", "3")).ShouldBe(0, session.Error);

        session.Requests.ShouldHaveSingleItem().Line.ShouldBe("GET /api/v1/admin/webhooks/3");
        session.Output.ShouldContain("failing         5 times in a row, the next notice 2 times");
        session.Output.ShouldContain("given up        1 notices: pipeline failed list --stage send-notices");
    }

    [Fact]
    public async Task Removing_one_names_it()
    {
        using var session = new TestSession((_, _) => (HttpStatusCode.OK, Hook));
        (await session.RunAsync("webhook", "remove", "3")).ShouldBe(0, session.Error);
        session.Requests.ShouldHaveSingleItem().Line.ShouldBe("DELETE /api/v1/admin/webhooks/3");
        session.Output.ShouldBe("webhook 3 removed\n");
    }

    [Fact]
    public async Task They_are_listed_as_a_table()
    {
        using var session = new TestSession((_, _) => (HttpStatusCode.OK, $$"""{"webhooks":[{{Hook["{\"webhook\":".Length..^1]}}]}"""));
        (await session.RunAsync("webhook", "list")).ShouldBe(0, session.Error);
        session.Output.ShouldContain("https://example.com/");
        session.Output.ShouldContain("2026-01-02 03:05:05");
    }
}
