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

/// <summary>One crate: shown (crates-io-behaviour §6.6) and deleted (§7.1).</summary>
public static class CrateEndpoints
{
    private const int MaxMessage = 1000;
    private const string Includes = "'versions', 'keywords', 'categories', 'badges', 'downloads', 'default_version', or 'full'";

    private static readonly string[] Known = ["versions", "keywords", "categories", "badges", "downloads", "default_version", "full"];

    /// <summary>Maps the endpoints.</summary>
    public static IEndpointRouteBuilder MapCrate(this IEndpointRouteBuilder routes)
    {
        routes.MapRead("/api/v1/crates/{name}", ShowAsync).WithSummary("A crate with its versions, keywords and categories");
        routes.MapRead("/api/v1/crates/{name}/downloads", DownloadsAsync).WithSummary("Always empty: downloads are not counted");
        routes.MapDelete("/api/v1/crates/{name}", DeleteAsync).WithSummary("Deletes a crate").Produces(StatusCodes.Status204NoContent);
        return routes;
    }

    private static async Task<IResult> ShowAsync(string name, string? include, IDatabase database, RegistryOptions options, CancellationToken cancellationToken)
    {
        var parts = include is null ? ["full"] : include.Split(',', StringSplitOptions.RemoveEmptyEntries);
        if (parts.Any(static part => !Known.Contains(part, StringComparer.Ordinal)))
            return Refusal.BadRequest($"invalid component for ?include= (expected {Includes})");
        var shown = await database.ReadAsync(sql => ReadAsync(sql, name, parts), cancellationToken).ConfigureAwait(false);
        return shown is null ? new Refusal(CrateLookup.NoCrate(name)) : new JsonAnswer(json => Write(json, shown, options));
    }

    private static async ValueTask<Shown?> ReadAsync(Statements sql, string name, string[] parts)
    {
        if (await CrateViews.CrateObjectAsync(sql, name).ConfigureAwait(false) is not { } crate) return null;
        var full = parts.Contains("full");
        var shown = new Shown(crate, full || parts.Contains("keywords"), full || parts.Contains("categories"));
        if (full || parts.Contains("versions"))
        {
            shown.Versions = await VersionViews.AllAsync(sql, crate).ConfigureAwait(false);
            shown.Actions = await VersionViews.ActionsOfCrateAsync(sql, crate.Id).ConfigureAwait(false);
        }
        else if (parts.Contains("default_version") && crate is { IsMirrored: true, DefaultVersion: { } shownVersion })
        {
            shown.Versions = [.. (await MirroredVersions.AllAsync(sql, crate.Id).ConfigureAwait(false)).Where(version => version.Num == shownVersion)];
        }
        else if (parts.Contains("default_version") && crate.DefaultVersion is { } num
            && await CrateLookup.VersionAsync(sql, new FoundCrate(crate.Id, crate.Name), num).ConfigureAwait(false) is { } version)
        {
            shown.Versions = [(await VersionViews.VersionAsync(sql, version).ConfigureAwait(false))!];
            shown.Actions = await VersionViews.ActionsOfVersionAsync(sql, version.Id).ConfigureAwait(false);
        }

        return shown;
    }

    private static void Write(Utf8JsonWriter json, Shown shown, RegistryOptions options)
    {
        json.WriteStartObject();
        json.WritePropertyName("crate");
        CrateJson.Write(json, shown.Crate, versionIds: shown.Versions?.ConvertAll(static version => version.Id), withLists: shown.WithKeywords);
        if (shown.Versions is { } versions) VersionJson.WriteList(json, "versions", versions, shown.Actions, options);
        else json.WriteNull("versions");
        WriteKeywords(json, shown);
        WriteCategories(json, shown);
        json.WriteEndObject();
    }

    private static void WriteKeywords(Utf8JsonWriter json, Shown shown)
    {
        if (!shown.WithKeywords)
        {
            json.WriteNull("keywords");
            return;
        }

        json.WriteStartArray("keywords");
        foreach (var keyword in JsonTexts.Read(shown.Crate.Keywords))
        {
            json.WriteStartObject();
            json.WriteString("id", keyword);
            json.WriteString("keyword", keyword);
            // Crates per keyword are not counted; readers of crates.io's API want a number.
            json.WriteNumber("crates_cnt", 0);
            json.WriteTime("created_at", shown.Crate.CreatedAt);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteCategories(Utf8JsonWriter json, Shown shown)
    {
        if (!shown.WithCategories)
        {
            json.WriteNull("categories");
            return;
        }

        json.WriteStartArray("categories");
        foreach (var slug in JsonTexts.Read(shown.Crate.Categories))
        {
            json.WriteStartObject();
            json.WriteString("id", slug);
            json.WriteString("category", slug);
            json.WriteString("slug", slug);
            json.WriteString("description", "");
            json.WriteNumber("crates_cnt", 0);
            json.WriteTime("created_at", shown.Crate.CreatedAt);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static async Task<IResult> DownloadsAsync(string name, IDatabase database, CancellationToken cancellationToken)
    {
        var crate = await database.ReadAsync(sql => CrateLookup.CrateAsync(sql, name), cancellationToken).ConfigureAwait(false);
        return crate is null ? new Refusal(CrateLookup.NoCrate(name)) : new JsonAnswer(static json =>
        {
            json.WriteStartObject();
            json.WriteStartArray("version_downloads");
            json.WriteEndArray();
            json.WriteStartObject("meta");
            json.WriteStartArray("extra_downloads");
            json.WriteEndArray();
            json.WriteEndObject();
            json.WriteEndObject();
        });
    }

    private static async Task<IResult> DeleteAsync(string name, string? message, HttpContext context, IDatabase database, IDoorbell doorbell, PublishOptions options)
    {
        if (message?.Length > MaxMessage) return Refusal.BadRequest($"a message has at most {MaxMessage} characters");
        var identity = await context.AuthenticateAsync().ConfigureAwait(false);
        if (!identity.Succeeded) return new Refusal(identity.Reject);
        var caller = identity.Caller;
        var (revised, reject) = await database.WriteAsync(sql => RunDeleteAsync(sql, name, caller, TimeSpan.FromHours(options.DeletedNameHours), message), context.RequestAborted).ConfigureAwait(false);
        if (reject is not null) return new Refusal(reject);
        await doorbell.RingDeletedAsync(revised!).ConfigureAwait(false);
        return Results.NoContent();
    }

    private static async ValueTask<(Revised? Revised, Reject? Reject)> RunDeleteAsync(Statements sql, string name, Caller caller, TimeSpan delay, string? message)
    {
        if (await CrateLookup.LockCrateAsync(sql, name).ConfigureAwait(false) is not { } crate) return (null, CrateLookup.NoCrate(name));
        var reject = caller.Allows(null, crate.Name) ?? await CrateDeletion.CheckAsync(sql, crate, caller.UserId).ConfigureAwait(false);
        return reject is null
            ? (await CrateDeletion.DeleteAsync(sql, crate, delay, caller.Actor, message).ConfigureAwait(false), null)
            : (null, reject);
    }

    /// <param name="Crate">The crate.</param>
    /// <param name="WithKeywords">Whether its keywords are shown.</param>
    /// <param name="WithCategories">Whether its categories are shown.</param>
    private sealed record Shown(CrateObject Crate, bool WithKeywords, bool WithCategories)
    {
        public List<VersionObject>? Versions { get; set; }

        public List<VersionAction> Actions { get; set; } = [];
    }
}
