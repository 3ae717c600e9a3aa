using System.Net;
using System.Text.Json;

namespace Pipeline.Cli.Tests;

/// <summary>What strangers sent is shown to operators, on their terminals.</summary>
public class HostileTextTests
{
    private const string Evil = "\u001b]0;owned\u0007\u001b[2J\r\u009b31m\u202e";

    [Theory]
    [InlineData(HttpStatusCode.BadRequest, "publish", "list")]
    [InlineData(HttpStatusCode.OK, "publish", "list")]
    [InlineData(HttpStatusCode.OK, "user", "list")]
    [InlineData(HttpStatusCode.BadGateway, "status")]
    public async Task No_control_character_of_a_stranger_gets_to_the_terminal(HttpStatusCode status, params string[] command)
    {
        var evil = JsonSerializer.Serialize(Evil);
        var body = status switch
        {
            HttpStatusCode.BadRequest => $$"""{"errors":[{"detail":{{evil}}}]}""",
            HttpStatusCode.BadGateway => Evil,
            _ => $$"""
                {"publishes":[{"id":{{evil}},"crate":{{evil}},"version":"1.0.0","state":"rejected","user":"me","size":1,"checksum":"ab","received_at":"2026-01-02T03:04:05Z",
                "decided_at":null,"verdict_code":"x","verdict_status":400,"verdict_text":{{evil}}}],
                "users":[{"id":1,"login":"me","name":{{evil}},"email":{{evil}},"is_admin":true,"lock_reason":{{evil}},"locked_until":null,"created_at":"2026-01-02T03:04:05Z"}],"next_cursor":{{evil}}}
                """,
        };
        using var session = new TestSession((_, _) => (status, body));

        await session.RunAsync(command);

        (session.Output + session.Error).ShouldContain("\\u001b");
        foreach (var c in session.Output + session.Error) (char.IsControl(c) && c is not ('\n' or '\t')).ShouldBeFalse($"U+{(int)c:X4}");
    }

    [Fact]
    public async Task JSON_for_machines_says_the_same_as_before()
    {
        using var session = new TestSession((_, _) => (HttpStatusCode.OK, "{\"publishes\":[],\"next_cursor\":\"a\u009bb\u202ec\"}"));

        (await session.RunAsync("publish", "list", "--json")).ShouldBe(0);

        JsonDocument.Parse(session.Output).RootElement.GetProperty("next_cursor").GetString().ShouldBe("a\u009bb\u202ec");
    }
}
