using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Pipeline.Api.Http;
using Pipeline.Contracts;
using Pipeline.Registry.Identity;

namespace Pipeline.Api.Accounts;

/// <summary>
/// One's own tokens (crates-io-behaviour §6.2). crates.io asks for a session of its web page here; this registry has none, so a token
/// without endpoint scopes stands for its owner.
/// </summary>
public static class TokenEndpoints
{
    /// <summary>Maps the endpoints.</summary>
    public static IEndpointRouteBuilder MapTokens(this IEndpointRouteBuilder routes)
    {
        routes.MapRead("/api/v1/me/tokens", ListAsync).WithSummary("One's own tokens");
        routes.MapPut("/api/v1/me/tokens", CreateAsync).WithSummary("Makes a token; its plaintext is shown this once");
        routes.MapRead("/api/v1/me/tokens/{id:long}", ShowAsync).WithSummary("One token");
        routes.MapDelete("/api/v1/me/tokens/{id:long}", RevokeAsync).WithSummary("Revokes a token");
        routes.MapDelete("/api/v1/tokens/current", RevokeCurrentAsync).WithSummary("Revokes the token that asks").Produces(StatusCodes.Status204NoContent);
        return routes;
    }

    private static async Task<IResult> ListAsync(HttpContext context, TokenStore tokens, TimeProvider clock, string? expired_days)
    {
        var days = 0;
        if (expired_days is not null && !int.TryParse(expired_days, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out days)) return Refusal.BadRequest("invalid expired_days parameter");
        var (caller, refusal) = await OwnerAsync(context).ConfigureAwait(false);
        if (caller is null) return refusal!;
        var since = clock.GetUtcNow().AddDays(-Math.Clamp(days, 0, 3650));
        var all = await tokens.ListAsync(caller.UserId, cancellationToken: context.RequestAborted).ConfigureAwait(false);
        context.Response.Headers.CacheControl = "no-store";
        return new JsonAnswer(json =>
        {
            json.WriteStartObject();
            json.WriteStartArray("api_tokens");
            foreach (var token in all)
            {
                if (token.ExpiresAt is null || token.ExpiresAt > since) Write(json, token, null);
            }

            json.WriteEndArray();
            json.WriteEndObject();
        });
    }

    private static async Task<IResult> CreateAsync(HttpContext context, TokenStore tokens)
    {
        using var body = await RequestJson.ReadAsync(context).ConfigureAwait(false);
        if (!body.IsJson) return new Refusal(body.Reject);
        if (!TryRead(body.Document.RootElement, out var wanted))
            return new Refusal(RequestJson.Shape("an `api_token` with `name` and, optional, `crate_scopes`, `endpoint_scopes` and `expired_at`"));
        var (caller, refusal) = await OwnerAsync(context).ConfigureAwait(false);
        if (caller is null) return refusal!;
        var (created, reject) = await tokens.CreateAsync(caller.UserId, wanted!, caller.Actor, context.RequestAborted).ConfigureAwait(false);
        if (created is null) return new Refusal(reject!);
        context.Response.Headers.CacheControl = "no-store";
        return new JsonAnswer(json => WriteOne(json, created.Token, created.Plaintext));
    }

    private static async Task<IResult> ShowAsync(long id, HttpContext context, TokenStore tokens)
    {
        var (caller, refusal) = await OwnerAsync(context).ConfigureAwait(false);
        if (caller is null) return refusal!;
        var token = await tokens.FindAsync(id, caller.UserId, context.RequestAborted).ConfigureAwait(false);
        return token is null ? new Refusal(new Reject(RejectCodes.NotFound, 404, "Not Found")) : new JsonAnswer(json => WriteOne(json, token, null));
    }

    private static async Task<IResult> RevokeAsync(long id, HttpContext context, TokenStore tokens)
    {
        var (caller, refusal) = await OwnerAsync(context).ConfigureAwait(false);
        if (caller is null) return refusal!;
        // Whether there was such a token is not told: an id of somebody else's answers the same.
        await tokens.RevokeAsync(id, caller.UserId, caller.Actor, context.RequestAborted).ConfigureAwait(false);
        return JsonAnswer.Empty;
    }

    private static async Task<IResult> RevokeCurrentAsync(HttpContext context, TokenStore tokens)
    {
        var (caller, refusal) = await OwnerAsync(context).ConfigureAwait(false);
        if (caller is null) return refusal!;
        await tokens.RevokeAsync(caller.TokenId, caller.UserId, caller.Actor, context.RequestAborted).ConfigureAwait(false);
        return Results.NoContent();
    }

    private static async ValueTask<(Caller? Caller, IResult? Refusal)> OwnerAsync(HttpContext context)
    {
        var identity = await context.AuthenticateAsync().ConfigureAwait(false);
        if (!identity.Succeeded) return (null, new Refusal(identity.Reject));
        return identity.Caller.Allows(null, null) is { } scope ? (null, new Refusal(scope)) : (identity.Caller, null);
    }

    private static bool TryRead(JsonElement body, out NewToken? token)
    {
        token = null;
        if (body.ValueKind != JsonValueKind.Object || !body.TryGetProperty("api_token", out var api) || api.ValueKind != JsonValueKind.Object) return false;
        if (!api.TryGetProperty("name", out var name) || name.ValueKind != JsonValueKind.String) return false;
        if (!TryTexts(api, "endpoint_scopes", out var endpoints) || !TryTexts(api, "crate_scopes", out var crates)) return false;
        DateTimeOffset? expires = null;
        if (api.TryGetProperty("expired_at", out var at) && at.ValueKind != JsonValueKind.Null)
        {
            if (at.ValueKind != JsonValueKind.String
                || !DateTimeOffset.TryParse(at.GetString(), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)) return false;
            expires = time;
        }

        token = new NewToken(name.GetString()!, endpoints, crates, expires);
        return true;
    }

    private static bool TryTexts(JsonElement json, string name, out List<string>? texts)
    {
        texts = null;
        if (!json.TryGetProperty(name, out var list) || list.ValueKind == JsonValueKind.Null) return true;
        texts = json.Texts(name);
        return texts is not null;
    }

    private static void WriteOne(Utf8JsonWriter json, ApiToken token, Secret? plaintext)
    {
        json.WriteStartObject();
        json.WritePropertyName("api_token");
        Write(json, token, plaintext);
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, ApiToken token, Secret? plaintext)
    {
        json.WriteStartObject();
        json.WriteNumber("id", token.Id);
        json.WriteString("name", token.Name);
        if (plaintext is not null) json.WriteString("token", plaintext.Reveal());
        json.WriteTime("created_at", token.CreatedAt);
        json.WriteTime("last_used_at", token.LastUsedAt);
        WriteTexts(json, "crate_scopes", token.Scopes.Crates?.Select(static pattern => pattern.Text));
        WriteTexts(json, "endpoint_scopes", token.Scopes.Endpoints?.Select(static scope => scope.ToText()));
        json.WriteTime("expired_at", token.ExpiresAt);
        json.WriteEndObject();
    }

    private static void WriteTexts(Utf8JsonWriter json, string name, IEnumerable<string>? texts)
    {
        if (texts is null)
        {
            json.WriteNull(name);
            return;
        }

        json.WriteStartArray(name);
        foreach (var text in texts) json.WriteStringValue(text);
        json.WriteEndArray();
    }
}
