using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Pipeline.Api.Crates;
using Pipeline.Api.Http;
using Pipeline.Contracts;
using Pipeline.Registry.Database;
using Pipeline.Registry.Identity;
using Pipeline.Registry.Options;

namespace Pipeline.Api.Accounts;

/// <summary>Accounts: one's own, by a token, and the public part of others'.</summary>
public static class MeEndpoints
{
    /// <summary>Maps the endpoints.</summary>
    public static IEndpointRouteBuilder MapMe(this IEndpointRouteBuilder routes)
    {
        routes.MapRead("/api/v1/me", MeAsync).WithSummary("The account of the token, and the crates it owns");
        routes.MapRead("/api/v1/users/{login}", UserAsync).WithSummary("The public part of an account");
        return routes;
    }

    private static async Task<IResult> MeAsync(HttpContext context, IDatabase database, RegistryOptions options)
    {
        var identity = await context.AuthenticateAsync().ConfigureAwait(false);
        if (!identity.Succeeded) return new Refusal(identity.Reject);
        var caller = identity.Caller;
        if (caller.Allows(null, null) is { } scope) return new Refusal(scope);
        var owned = await database.ReadAsync(
            sql => sql.QueryAsync(
                "SELECT c.id, c.name FROM owners o JOIN crates c ON c.id = o.crate_id AND c.state = 'active' WHERE o.user_id = $1 ORDER BY c.canonical",
                static row => (Id: row.Long(0), Name: row.Text(1)),
                caller.UserId),
            context.RequestAborted).ConfigureAwait(false);
        context.Response.Headers.CacheControl = "no-store";
        return new JsonAnswer(json =>
        {
            json.WriteStartObject();
            json.WriteStartObject("user");
            UserJson.WriteMembers(json, caller.UserId, caller.Login, caller.Name, options);
            json.WriteString("email", caller.Email);
            json.WriteBoolean("email_verified", caller.Email is not null);
            json.WriteBoolean("email_verification_sent", caller.Email is not null);
            json.WriteBoolean("is_admin", caller.IsAdmin);
            json.WriteBoolean("publish_notifications", false);
            json.WriteEndObject();
            json.WriteStartArray("owned_crates");
            foreach (var (id, name) in owned)
            {
                json.WriteStartObject();
                json.WriteNumber("id", id);
                json.WriteString("name", name);
                json.WriteBoolean("email_notifications", false);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        });
    }

    private static async Task<IResult> UserAsync(string login, UserStore users, RegistryOptions options, CancellationToken cancellationToken)
    {
        var user = await users.FindAsync(login, cancellationToken).ConfigureAwait(false);
        return user is null ? new Refusal(new Reject(RejectCodes.NotFound, 404, "Not Found")) : new JsonAnswer(json =>
        {
            json.WriteStartObject();
            UserJson.Write(json, "user", user.Id, user.Login, user.Name, options);
            json.WriteEndObject();
        });
    }
}
