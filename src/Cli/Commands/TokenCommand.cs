using System.CommandLine;
using System.Globalization;
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
            var token = new NewToken(
                parsed.GetRequiredValue(user),
                parsed.GetValue(name),
                parsed.GetValue(scopes) is { Length: > 0 } endpoints ? endpoints : null,
                parsed.GetValue(crates) is { Length: > 0 } patterns ? patterns : null,
                parsed.GetValue(expires));
            using var client = session.Connect();
            var answer = await client.SendAsync(
                HttpMethod.Post, "tokens", token, AdminJson.Default.NewToken, AdminJson.Default.NewTokenAnswer, cancellationToken).ConfigureAwait(false);
            return Say(session, parsed, answer.Json, answer.Value.Plaintext);
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
            var answer = await client.GetAsync(path, AdminJson.Default.TokensAnswer, cancellationToken).ConfigureAwait(false);
            if (parsed.GetValue(Json)) return Print(session, answer.Json);
            Report.Table(
                session.Output,
                "no tokens",
                [">id", "user", "name", "endpoints", "crates", "made", "expires", "revoked", "last used"],
                [.. answer.Value.Tokens.Select(token => new[]
                {
                    token.Id.ToString(CultureInfo.InvariantCulture), token.User, token.Name,
                    token.EndpointScopes is null ? "all" : string.Join(' ', token.EndpointScopes),
                    token.CrateScopes is null ? "all" : string.Join(' ', token.CrateScopes),
                    Times.Show(token.CreatedAt), Times.Show(token.ExpiresAt), Times.Show(token.RevokedAt), Times.Show(token.LastUsedAt),
                })]);
            return More(session, answer.Value.NextCursor);
        });
        return command;
    }

    private static Command Revoke(Session session)
    {
        var id = new Argument<long>("ID") { Description = "The token's id, as `token list` shows it" };
        var command = new Command("revoke", "Make a token useless, at once and for good") { id };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using var client = session.Connect();
            var path = Path($"tokens/{parsed.GetValue(id)}");
            var answer = await client.SendAsync(HttpMethod.Delete, path, AdminJson.Default.TokenAnswer, cancellationToken).ConfigureAwait(false);
            return Say(session, parsed, answer.Json, $"token {answer.Value.Token.Id} of {answer.Value.Token.User} revoked");
        });
        return command;
    }
}
