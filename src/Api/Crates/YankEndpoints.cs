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

/// <summary>Yank, unyank and the change of a version (crates-io-behaviour §6.4).</summary>
public static class YankEndpoints
{
    private const int MaxMessage = 1000;

    private static readonly Reject NotOwner = new(RejectCodes.NotOwner, 403, "must already be an owner to yank or unyank");

    /// <summary>Maps the endpoints.</summary>
    public static IEndpointRouteBuilder MapYank(this IEndpointRouteBuilder routes)
    {
        routes.MapDelete("/api/v1/crates/{name}/{version}/yank", YankAsync).WithSummary("Yanks a version");
        routes.MapPut("/api/v1/crates/{name}/{version}/unyank", UnyankAsync).WithSummary("Takes a yank back");
        routes.MapPatch("/api/v1/crates/{name}/{version}", PatchAsync).WithSummary("Sets whether a version is yanked, and why");
        return routes;
    }

    private static async Task<IResult> YankAsync(string name, string version, HttpContext context, [AsParameters] Services services) =>
        await ChangeAsync(name, version, new Wish(true, null), context, services).ConfigureAwait(false) is { } refusal ? refusal : JsonAnswer.Ok;

    private static async Task<IResult> UnyankAsync(string name, string version, HttpContext context, [AsParameters] Services services) =>
        await ChangeAsync(name, version, new Wish(false, null), context, services).ConfigureAwait(false) is { } refusal ? refusal : JsonAnswer.Ok;

    private static async Task<IResult> PatchAsync(string name, string version, HttpContext context, [AsParameters] Services services)
    {
        using var body = await RequestJson.ReadAsync(context).ConfigureAwait(false);
        if (!body.IsJson) return new Refusal(body.Reject);
        if (!TryReadPatch(body.Document.RootElement, out var wish)) return new Refusal(RequestJson.Shape("a `version` with `yanked` and `yank_message`, both optional"));
        if (await ChangeAsync(name, version, wish, context, services).ConfigureAwait(false) is { } refusal) return refusal;
        return await VersionEndpoints.ShowAsync(name, version, services.Database, services.Options, context.RequestAborted).ConfigureAwait(false);
    }

    /// <summary>Makes the change; null: it is made, or was so already.</summary>
    private static async Task<IResult?> ChangeAsync(string name, string num, Wish wish, HttpContext context, Services services)
    {
        if (VersionEndpoints.CheckVersion(num) is { } invalid) return new Refusal(invalid);
        var (version, missing) = await services.Database.ReadAsync(sql => FindAsync(sql, name, num, locked: false), context.RequestAborted).ConfigureAwait(false);
        if (version is null) return new Refusal(missing!);
        if (wish.Check(version) is { } reject) return new Refusal(reject);

        var identity = await context.AuthenticateAsync().ConfigureAwait(false);
        if (!identity.Succeeded) return new Refusal(identity.Reject);
        if (identity.Caller.Allows(EndpointScope.Yank, version.Crate.Name) is { } scope) return new Refusal(scope);

        var caller = identity.Caller;
        var outcome = await services.Database.WriteAsync(sql => RunAsync(sql, name, num, wish, caller, services.Limiter), context.RequestAborted).ConfigureAwait(false);
        if (outcome.Revised is { } revised) await services.Doorbell.RingChangedAsync(revised).ConfigureAwait(false);
        return outcome.Refusal;
    }

    private static async ValueTask<Outcome> RunAsync(Statements sql, string name, string num, Wish wish, Caller caller, RateLimiter limiter)
    {
        // The attempt counts whatever becomes of it: a refusal below is a value, so the transaction commits.
        if (await limiter.TakeAsync(sql, caller.UserId, LimitedAction.Yank).ConfigureAwait(false) is { } limited) return new Outcome(null, new Refusal(limited));
        var (version, missing) = await FindAsync(sql, name, num, locked: true).ConfigureAwait(false);
        if (version is null) return new Outcome(null, new Refusal(missing!));
        if (!caller.IsAdmin && !await CrateOwners.IsOwnerAsync(sql, version.Crate.Id, caller.UserId).ConfigureAwait(false))
            return new Outcome(null, new Refusal(NotOwner));
        if (wish.Check(version) is { } reject) return new Outcome(null, new Refusal(reject));
        return new Outcome(await VersionYank.SetAsync(sql, version, wish.FlagFor(version), wish.MessageFor(version), caller.Actor).ConfigureAwait(false), null);
    }

    private static async ValueTask<(FoundVersion? Version, Reject? Missing)> FindAsync(Statements sql, string name, string num, bool locked)
    {
        var crate = locked ? await CrateLookup.LockCrateAsync(sql, name).ConfigureAwait(false) : await CrateLookup.CrateAsync(sql, name).ConfigureAwait(false);
        if (crate is null) return (null, CrateLookup.NoCrate(name));
        var version = await CrateLookup.VersionAsync(sql, crate, num).ConfigureAwait(false);
        return version is null ? (null, CrateLookup.NoVersion(crate.Name, num)) : (version, null);
    }

    private static bool TryReadPatch(JsonElement body, out Wish wish)
    {
        wish = default;
        if (body.ValueKind != JsonValueKind.Object || !body.TryGetProperty("version", out var version) || version.ValueKind != JsonValueKind.Object) return false;
        var (yanked, message) = (Member(version, "yanked"), Member(version, "yank_message"));
        if (yanked.ValueKind is not (JsonValueKind.True or JsonValueKind.False or JsonValueKind.Null or JsonValueKind.Undefined)) return false;
        if (message.ValueKind is not (JsonValueKind.String or JsonValueKind.Null or JsonValueKind.Undefined)) return false;
        bool? flag = yanked.ValueKind switch { JsonValueKind.True => true, JsonValueKind.False => false, _ => null };
        wish = new Wish(flag, message.ValueKind == JsonValueKind.String ? message.GetString() : null) { KeepsMessage = message.ValueKind == JsonValueKind.Undefined };
        return true;
    }

    private static JsonElement Member(JsonElement json, string name) => json.TryGetProperty(name, out var value) ? value : default;

    /// <summary>What a request wants of a version.</summary>
    /// <param name="Yanked">The flag; null: as it is.</param>
    /// <param name="Message">The message; null: none was given.</param>
    private readonly record struct Wish(bool? Yanked, string? Message)
    {
        /// <summary>Whether a message that was not given stays as it is; plain yank and unyank clear it.</summary>
        public bool KeepsMessage { get; init; }

        public Reject? Check(FoundVersion version)
        {
            if (Message is null) return null;
            if (Message.Length > MaxMessage) return Invalid($"a yank message has at most {MaxMessage} characters");
            if (Yanked == false) return Invalid("Cannot set yank message when unyanking");
            return FlagFor(version) ? null : Invalid("Cannot update yank message for a version that is not yanked");
        }

        public bool FlagFor(FoundVersion version) => Yanked ?? version.Yanked;

        public string? MessageFor(FoundVersion version) => FlagFor(version) ? Message ?? (KeepsMessage ? version.YankMessage : null) : null;

        private static Reject Invalid(Sentence text) => new(RejectCodes.InvalidRequest, 400, text);
    }

    private readonly record struct Outcome(Revised? Revised, Refusal? Refusal);

    /// <summary>What these endpoints work with.</summary>
    internal sealed record Services(IDatabase Database, IDoorbell Doorbell, RateLimiter Limiter, RegistryOptions Options);
}
