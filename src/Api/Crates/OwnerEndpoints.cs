using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Pipeline.Api.Http;
using Pipeline.Contracts;
using Pipeline.Registry.Bus;
using Pipeline.Registry.Database;
using Pipeline.Registry.Identity;
using Pipeline.Registry.Options;
using Pipeline.Registry.Truth;

namespace Pipeline.Api.Crates;

/// <summary>The owners of a crate (crates-io-behaviour §6.5). Who is added is an owner at once: there is no page to accept an invitation on.</summary>
public static class OwnerEndpoints
{
    /// <summary>Maps the endpoints.</summary>
    public static IEndpointRouteBuilder MapOwners(this IEndpointRouteBuilder routes)
    {
        routes.MapRead("/api/v1/crates/{name}/owners", ListAsync).WithSummary("The owners of a crate");
        routes.MapRead("/api/v1/crates/{name}/owner_user", ListAsync).WithSummary("The owners of a crate that are users: all of them");
        routes.MapRead("/api/v1/crates/{name}/owner_team", ListTeamsAsync).WithSummary("The owners of a crate that are teams: none");
        routes.MapPut("/api/v1/crates/{name}/owners", AddAsync).WithSummary("Adds owners to a crate");
        routes.MapDelete("/api/v1/crates/{name}/owners", RemoveAsync).WithSummary("Removes owners from a crate");
        return routes;
    }

    private static async Task<IResult> ListAsync(string name, IDatabase database, RegistryOptions options, CancellationToken cancellationToken)
    {
        var owners = await database.ReadAsync(
            async sql => await CrateLookup.CrateAsync(sql, name).ConfigureAwait(false) is { } crate ? await CrateOwners.ListAsync(sql, crate.Id).ConfigureAwait(false) : null,
            cancellationToken).ConfigureAwait(false);
        return owners is null ? new Refusal(CrateLookup.NoCrate(name)) : new JsonAnswer(json => Write(json, owners, options));
    }

    private static async Task<IResult> ListTeamsAsync(string name, IDatabase database, CancellationToken cancellationToken)
    {
        var crate = await database.ReadAsync(sql => CrateLookup.CrateAsync(sql, name), cancellationToken).ConfigureAwait(false);
        return crate is null ? new Refusal(CrateLookup.NoCrate(name)) : new JsonAnswer(static json =>
        {
            json.WriteStartObject();
            json.WriteStartArray("teams");
            json.WriteEndArray();
            json.WriteEndObject();
        });
    }

    private static Task<IResult> AddAsync(string name, HttpContext context, IDatabase database, IDoorbell doorbell) =>
        ChangeAsync(name, context, database, doorbell, CrateOwners.AddAsync);

    private static Task<IResult> RemoveAsync(string name, HttpContext context, IDatabase database, IDoorbell doorbell) =>
        ChangeAsync(name, context, database, doorbell, CrateOwners.RemoveAsync);

    private static async Task<IResult> ChangeAsync(string name, HttpContext context, IDatabase database, IDoorbell doorbell, Change change)
    {
        using var body = await RequestJson.ReadAsync(context).ConfigureAwait(false);
        if (!body.IsJson) return new Refusal(body.Reject);
        if (Logins(body.Document.RootElement) is not { } logins) return new Refusal(RequestJson.Shape("a list of logins under `owners` or `users`"));
        if (logins.Count > CrateOwners.MaxLogins) return Refusal.BadRequest($"too many invites for this request - maximum {CrateOwners.MaxLogins}");

        var identity = await context.AuthenticateAsync().ConfigureAwait(false);
        if (!identity.Succeeded) return new Refusal(identity.Reject);
        var caller = identity.Caller;
        var outcome = await database.WriteAsync(sql => RunAsync(sql, name, caller, logins, change), context.RequestAborted).ConfigureAwait(false);
        if (outcome.Reject is { } reject) return new Refusal(reject);
        if (outcome.Revised is { } revised) await doorbell.RingChangedAsync(revised).ConfigureAwait(false);
        return new JsonAnswer(json => WriteDone(json, outcome.Message));
    }

    private static async ValueTask<OwnersChange> RunAsync(Statements sql, string name, Caller caller, List<string> logins, Change change)
    {
        if (await CrateLookup.LockCrateAsync(sql, name).ConfigureAwait(false) is not { } crate) return Refused(CrateLookup.NoCrate(name));
        if (caller.Allows(EndpointScope.ChangeOwners, crate.Name) is { } scope) return Refused(scope);
        // An administrator can give a crate back whose only owner is gone; there is no other way to.
        if (!caller.IsAdmin && !await CrateOwners.IsOwnerAsync(sql, crate.Id, caller.UserId).ConfigureAwait(false)) return Refused(CrateOwners.NotOwner);
        return await change(sql, crate, logins, caller.Actor).ConfigureAwait(false);
    }

    private static OwnersChange Refused(Reject reject) => new(null, "", reject);

    /// <summary>cargo writes <c>users</c>, crates.io's own page <c>owners</c>.</summary>
    private static List<string>? Logins(JsonElement body) =>
        body.ValueKind == JsonValueKind.Object ? body.Texts("owners") ?? body.Texts("users") : null;

    private static void Write(Utf8JsonWriter json, List<Owner> owners, RegistryOptions options)
    {
        json.WriteStartObject();
        json.WriteStartArray("users");
        foreach (var owner in owners)
        {
            json.WriteStartObject();
            UserJson.WriteMembers(json, owner.Id, owner.Login, owner.Name, options);
            json.WriteString("kind", "user");
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteDone(Utf8JsonWriter json, string message)
    {
        json.WriteStartObject();
        json.WriteBoolean("ok", true);
        json.WriteString("msg", message);
        json.WriteEndObject();
    }

    private delegate ValueTask<OwnersChange> Change(Statements sql, FoundCrate crate, IReadOnlyList<string> logins, Actor actor);
}
