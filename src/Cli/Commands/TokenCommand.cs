using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Pipeline.Api.Admin.Shapes;
using Pipeline.Cli.Output;
using static Pipeline.Cli.Commands.CommonOptions;

namespace Pipeline.Cli.Commands;

/// <summary><c>pipeline token create|list|revoke</c>: the tokens of accounts.</summary>
internal static class TokenCommand
{
    public static Command Create(Session session) => new("token", "Tokens of accounts") { New(session), List(session), Revoke(session) };

    private static Command New(Session session)
    {
        var user = new Option<string>("--user") { Description = "The login of its account", HelpName = "LOGIN", Required = true };
        var name = new Option<string?>("--name") { Description = "What to call it", HelpName = "NAME" };
        var scopes = new Option<string[]>("--scope") { Description = "Limit it to an endpoint: publish-new, publish-update, yank, change-owners", HelpName = "SCOPE" };
        var crates = new Option<string[]>("--crate") { Description = "Limit it to crates: a name, or the start of one and *", HelpName = "PATTERN" };
        var expires = Time("--expires", "When it stops working", ahead: true);
        var command = new Command("create", "Make a token; prints it, and nothing else, this one time") { user, name, scopes, crates, expires };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using var client = session.Connect();
            var answer = await client.SendAsync(
                HttpMethod.Post,
                "tokens",
                json =>
                {
                    json.WriteString("user", parsed.GetRequiredValue(user));
                    json.WriteString("name", parsed.GetValue(name));
                    WriteList(json, "endpoint_scopes", parsed.GetValue(scopes));
                    WriteList(json, "crate_scopes", parsed.GetValue(crates));
                    if (parsed.GetValue(expires) is { } time) json.WriteString("expires_at", time);
                },
                cancellationToken).ConfigureAwait(false);
            return Say(session, parsed, answer, answer.Text("plaintext"));
        });
        return command;
    }

    private static Command List(Session session)
    {
        var user = new Option<string?>("--user") { Description = "Only those of one account", HelpName = "LOGIN" };
        var limit = Limit();
        var cursor = Cursor();
        var command = new Command("list", "List tokens, newest first") { user, limit, cursor };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using var client = session.Connect();
            var path = Path($"tokens", ("user", parsed.GetValue(user)), ("limit", parsed.GetValue(limit)), ("cursor", parsed.GetValue(cursor)));
            var answer = await client.GetAsync(path, cancellationToken).ConfigureAwait(false);
            if (parsed.GetValue(Json)) return Print(session, answer);
            var page = answer.As(AdminJson.Default.TokensAnswer);
            Report.Table(
                session.Output,
                "no tokens",
                [">id", "user", "name", "endpoints", "crates", "made", "expires", "revoked", "last used"],
                [.. page.Tokens.Select(token => new[]
                {
                    token.Id.ToString(CultureInfo.InvariantCulture), token.User, token.Name,
                    token.EndpointScopes is null ? "all" : string.Join(' ', token.EndpointScopes),
                    token.CrateScopes is null ? "all" : string.Join(' ', token.CrateScopes),
                    Times.Show(token.CreatedAt), Times.Show(token.ExpiresAt), Times.Show(token.RevokedAt), Times.Show(token.LastUsedAt),
                })]);
            return More(session, page.NextCursor);
        });
        return command;
    }

    private static Command Revoke(Session session)
    {
        var id = new Argument<long>("ID") { Description = "The token's id, as `token list` shows it" };
        var keep = new Option<bool>("--keep-made") { Description = "Leave the tokens that were made with it as they are" };
        var command = new Command("revoke", "Make a token useless, and every token that was made with it, at once and for good") { id, keep };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using var client = session.Connect();
            var path = Path($"tokens/{parsed.GetValue(id)}", ("made", parsed.GetValue(keep) ? "keep" : null));
            var answer = await client.SendAsync(HttpMethod.Delete, path, null, cancellationToken).ConfigureAwait(false);
            return Say(session, parsed, answer, $"token {answer.Text("token", "id")} of {answer.Text("token", "user")} revoked");
        });
        return command;
    }

    private static void WriteList(Utf8JsonWriter json, string name, string[]? texts)
    {
        if (texts is not { Length: > 0 }) return;
        json.WriteStartArray(name);
        foreach (var text in texts) json.WriteStringValue(text);
        json.WriteEndArray();
    }
}
