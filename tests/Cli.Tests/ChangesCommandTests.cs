using System.Net;

namespace Pipeline.Cli.Tests;

public sealed class ChangesCommandTests
{
    private const string Yank = """{"cursor":"MQ","kind":"yank","at":"2026-01-02T03:04:05.000006Z","crate":"foo","version":"1.0.0","revision":2,"data":null}""";
    private const string Owners = """{"cursor":"Mg","kind":"owners","at":"2026-01-02T03:04:06.000000Z","crate":"foo","version":null,"revision":3,"data":{"added":["bob"]}}""";

    [Fact]
    public async Task It_shows_a_page_and_says_how_to_go_on()
    {
        using var session = new TestSession((_, _) => (HttpStatusCode.OK, $$"""{"changes":[{{Yank}},{{Owners}}],"cursor":"Mg","more":true}"""));

        (await session.RunAsync("changes", "--since", "MA", "--limit", "2")).ShouldBe(0);

        session.Requests.ShouldHaveSingleItem().Line.ShouldBe("GET /api/v1/changes?since=MA&limit=2");
        session.Output.ShouldContain("2026-01-02 03:04:05");
        session.Output.ShouldContain("""{"added":["bob"]}""");
        session.Error.ShouldBe("there are more: --since Mg\n");
    }

    [Theory]
    [InlineData(false, "2026-01-02 03:04:05  yank  foo  1.0.0  2\n2026-01-02 03:04:06  owners  foo  3  {\"added\":[\"bob\"]}\n")]
    [InlineData(true, Yank + "\n" + Owners + "\n")]
    public async Task Following_prints_a_change_a_line_and_goes_on_behind_the_last(bool json, string output)
    {
        var answers = new Queue<(HttpStatusCode, string)>(
        [
            (HttpStatusCode.OK, $$"""{"changes":[{{Yank}}],"cursor":"MQ","more":false}"""),
            (HttpStatusCode.OK, """{"changes":[],"cursor":"MQ","more":false}"""),
            (HttpStatusCode.OK, $$"""{"changes":[{{Owners}}],"cursor":"Mg","more":false}"""),
            (HttpStatusCode.Gone, """{"errors":[{"detail":"the cursor is of another epoch"}]}"""),
        ]);
        using var session = new TestSession((_, _) => answers.Dequeue());

        (await session.RunAsync(["changes", "--follow", "--since", "now", .. json ? new[] { "--json" } : []])).ShouldBe(1);

        session.Output.ShouldBe(output);
        session.Requests.ConvertAll(static request => request.Line[(request.Line.IndexOf('=', StringComparison.Ordinal) + 1)..].Split('&')[0]).ShouldBe(["now", "MQ", "MQ", "Mg"]);
        session.Error.ShouldContain("the cursor is of another epoch");
    }
}
