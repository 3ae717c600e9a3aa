using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Pipeline.Api.Http;
using Pipeline.Registry.Database;
using Pipeline.Registry.Options;
using Pipeline.Registry.Truth;

namespace Pipeline.Api.Crates;

/// <summary>The versions of a crate (crates-io-behaviour §6.6): by precedence or by date, in parts only if that is asked for.</summary>
public static class VersionListEndpoint
{
    private const string BySemver = "v.sort_key";
    private const string ByDate = "v.published_at";

    /// <summary>Maps the endpoint.</summary>
    public static IEndpointRouteBuilder MapVersionList(this IEndpointRouteBuilder routes)
    {
        routes.MapRead("/api/v1/crates/{name}/versions", ListAsync).WithSummary("The versions of a crate");
        return routes;
    }

    private static async Task<IResult> ListAsync(string name, HttpContext context, IDatabase database, RegistryOptions options)
    {
        var query = context.Request.Query;
        if (query.ContainsKey("page")) return Refusal.BadRequest("?page= is not supported for this request");
        if (!Paging.TryRead(query, out var paging, out var reject)) return new Refusal(reject);
        var order = query["sort"].ToString() switch { "" or "semver" => BySemver, "date" => ByDate, _ => null };
        if (order is null) return Refusal.BadRequest("invalid sort parameter: `semver` or `date`");
        var part = query.ContainsKey("per_page") ? paging : null;
        var found = await database.ReadAsync(sql => ReadAsync(sql, name, order, part), context.RequestAborted).ConfigureAwait(false);
        return found is null ? new Refusal(CrateLookup.NoCrate(name)) : new JsonAnswer(json => Write(json, found, part, query, options));
    }

    private static async ValueTask<Found?> ReadAsync(Statements sql, string name, string order, Paging? part)
    {
        if (await CrateLookup.CrateAsync(sql, name).ConfigureAwait(false) is not { } crate) return null;
        if (crate.IsMirrored) return Mirrored(await MirroredVersions.AllAsync(sql, crate.Id).ConfigureAwait(false), order, part);
        var total = await sql.LongAsync("SELECT COUNT(*) FROM versions WHERE crate_id = $1 AND state = 'active'", crate.Id).ConfigureAwait(false);
        var actions = await VersionViews.ActionsOfCrateAsync(sql, crate.Id).ConfigureAwait(false);
        // The seek names the last row seen, and the database looks up where that row stands.
        var versions = await sql.QueryAsync(
            $"""
            SELECT {VersionViews.Columns} FROM {VersionViews.From} WHERE v.crate_id = $1 AND v.state = 'active'
                AND ($2 < 0 OR ({order}, v.id) < (SELECT {order.Replace("v.", "s.", StringComparison.Ordinal)}, s.id FROM versions s WHERE s.crate_id = $1 AND s.id = $2))
            ORDER BY {order} DESC, v.id DESC LIMIT $3
            """,
            VersionViews.Read,
            crate.Id, part?.Seek?.Rank ?? -1, part?.PerPage ?? total!.Value).ConfigureAwait(false);
        return new Found(versions, actions, total!.Value);
    }

    private static Found Mirrored(List<VersionObject> all, string order, Paging? part)
    {
        var sorted = order == BySemver ? [.. MirroredVersions.BySemver(all)] : all;
        var seek = part?.Seek?.Rank is { } last ? sorted.FindIndex(version => version.Id == last) + 1 : 0;
        return new Found([.. sorted.Skip(seek).Take((int)(part?.PerPage ?? all.Count))], [], all.Count);
    }

    private static void Write(Utf8JsonWriter json, Found found, Paging? part, IQueryCollection query, RegistryOptions options)
    {
        json.WriteStartObject();
        VersionJson.WriteList(json, "versions", found.Versions, found.Actions, options);
        json.WriteStartObject("meta");
        json.WriteNumber("total", found.Total);
        var last = found.Versions.Count == 0 ? null : found.Versions[^1];
        var next = last is null ? null : part?.NextPage(query, found.Total, found.Versions.Count, new SeekPoint(last.Id, last.Id.ToString(CultureInfo.InvariantCulture)));
        json.WriteString("next_page", next);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private sealed record Found(List<VersionObject> Versions, List<VersionAction> Actions, long Total);
}
