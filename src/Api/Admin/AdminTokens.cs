using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Pipeline.Api.Admin.Shapes;
using Pipeline.Contracts;
using Pipeline.Registry.Database;
using Pipeline.Registry.Identity;

namespace Pipeline.Api.Admin;

/// <summary>Tokens of any account.</summary>
internal static class AdminTokens
{
    private const string Tokens =
        """
        SELECT t.id, u.login, t.name, t.endpoint_scopes, t.crate_scopes, t.created_at, t.expires_at, t.revoked_at, t.last_used_at
        FROM tokens t JOIN users u ON u.id = t.user_id WHERE t.id < $1 AND t.forgotten_at IS NULL
        """;

    // Two statements, not one with an OR, for which no index would do.
    private const string ListSql = $"{Tokens} ORDER BY t.id DESC LIMIT $2";
    private const string OfUserSql = $"{Tokens} AND t.user_id = $3 ORDER BY t.id DESC LIMIT $2";

    public static void Map(IEndpointRouteBuilder routes)
    {
        AdminCall.Map(routes, HttpMethods.Get, "tokens", "Tokens, newest first", ListAsync);
        AdminCall.Map(routes, HttpMethods.Post, "tokens", "Makes a token; its plaintext is shown this once", CreateAsync);
        AdminCall.Map(routes, HttpMethods.Delete, "tokens/{id:long}", "Revokes a token, and what was made with it unless `made=keep`", RevokeAsync);
    }

    private static async ValueTask<IResult> ListAsync(AdminCall call)
    {
        var (limit, before) = (call.Limit(), call.Number("cursor"));
        long? user = null;
        if (call.Query("user") is { } login)
        {
            if (await call.Service<UserStore>().FindAsync(login, call.Aborted).ConfigureAwait(false) is not { } found) return AdminCall.Refuse(NoUser(login));
            user = found.Id;
        }

        var tokens = await call.Database.ReadAsync(
            sql => sql.QueryAsync(
                user is null ? ListSql : OfUserSql,
                static row => new TokenShape(
                    row.Long(0), row.Text(1), row.Text(2), Texts(row.TextOrNull(3)), Texts(row.TextOrNull(4)),
                    Cells.Time(row.Long(5)), Cells.Time(row.LongOrNull(6)), Cells.Time(row.LongOrNull(7)), Cells.Time(row.LongOrNull(8))),
                user is { } id ? [before ?? long.MaxValue, (long)limit, id] : [before ?? long.MaxValue, (long)limit]),
            call.Aborted).ConfigureAwait(false);
        return AdminCall.Answer(new TokensAnswer(tokens, Cells.Cursor(tokens, limit, token => token.Id)), AdminJson.Default.TokensAnswer);
    }

    private static async ValueTask<IResult> CreateAsync(AdminCall call)
    {
        const string what = "a `user` and, optional, `name`, `endpoint_scopes`, `crate_scopes` and `expires_at`";
        var (body, reject) = await call.BodyAsync(AdminJson.Default.TokenRequest, what).ConfigureAwait(false);
        if (body is null) return AdminCall.Refuse(reject!);
        if (await call.Service<UserStore>().FindAsync(body.User ?? "", call.Aborted).ConfigureAwait(false) is not { } user) return AdminCall.Refuse(NoUser(body.User ?? ""));
        var wanted = new NewToken(
            string.IsNullOrWhiteSpace(body.Name) ? "made by an administrator" : body.Name,
            body.EndpointScopes,
            body.CrateScopes,
            body.ExpiresAt is { } time ? new DateTimeOffset(time.ToUniversalTime()) : null);
        var (created, refused) = await call.Service<TokenStore>().CreateAsync(user.Id, wanted, call.Actor, call.Aborted).ConfigureAwait(false);
        if (created is null) return AdminCall.Refuse(refused!);
        var answer = new CreatedTokenAnswer(Shape(created.Token), created.Plaintext.Reveal());
        return AdminCall.Answer(answer, AdminJson.Default.CreatedTokenAnswer, StatusCodes.Status201Created);
    }

    private static async ValueTask<IResult> RevokeAsync(AdminCall call)
    {
        var id = long.Parse(call.Route("id"), System.Globalization.CultureInfo.InvariantCulture);
        var tokens = call.Service<TokenStore>();
        var keepMade = call.Query("made") switch
        {
            null or "revoke" => false,
            "keep" => true,
            _ => throw new BadHttpRequestException("`made` is revoke or keep"),
        };
        await tokens.RevokeAsync(id, null, call.Actor, keepMade, call.Aborted).ConfigureAwait(false);
        var token = await tokens.FindAsync(id, null, call.Aborted).ConfigureAwait(false);
        return token is null
            ? AdminCall.Refuse(new Reject(RejectCodes.NotFound, StatusCodes.Status404NotFound, $"token {id} does not exist"))
            : AdminCall.Answer(new TokenAnswer(Shape(token)), AdminJson.Default.TokenAnswer);
    }

    private static TokenShape Shape(ApiToken token) => new(
        token.Id,
        token.Login,
        token.Name,
        token.Scopes.Endpoints?.Select(static scope => scope.ToText()).ToList(),
        token.Scopes.Crates?.Select(static pattern => pattern.Text).ToList(),
        token.CreatedAt.UtcDateTime,
        token.ExpiresAt?.UtcDateTime,
        token.RevokedAt?.UtcDateTime,
        token.LastUsedAt?.UtcDateTime);

    private static string[]? Texts(string? json) => json is null ? null : JsonTexts.Read(json);

    private static Reject NoUser(string login) => new(RejectCodes.NotFound, StatusCodes.Status404NotFound, $"could not find user with login `{login}`");
}
