using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Pipeline.Api.Crates;
using Pipeline.Api.Http;
using Pipeline.Registry.Database;

namespace Pipeline.Api.Search;

/// <summary>
/// Search and lists of crates (crates-io-behaviour §6.6). The crate whose name is the query comes first. What is found, and in which order, says
/// the search projection; how it looks, the truth.
/// </summary>
public static class SearchEndpoint
{
    private const int MaxRelevant = 1000;

    /// <summary>Maps the endpoint.</summary>
    public static IEndpointRouteBuilder MapSearch(this IEndpointRouteBuilder routes)
    {
        routes.MapRead("/api/v1/crates", SearchAsync).WithSummary("Searches and lists crates");
        return routes;
    }

    private static async Task<IResult> SearchAsync(HttpContext context, IDatabase database, SearchCache cache, ShownCrates shown)
    {
        var query = context.Request.Query;
        if (!Paging.TryRead(query, out var paging, out var reject) || !SearchQuery.TryRead(query, out var search, out reject)) return new Refusal(reject);
        if (search.Sort == SearchSort.Relevance && paging.Offset >= MaxRelevant)
            return Refusal.BadRequest($"Cannot page beyond the first {MaxRelevant} results when sorting by relevance.");
        var index = await cache.CurrentAsync(context.RequestAborted).ConfigureAwait(false);
        var owned = search.UserId is { } user ? await database.ReadAsync(sql => OwnedAsync(sql, user), context.RequestAborted).ConfigureAwait(false) : null;
        var found = index.Find(search, owned, paging);
        var crates = await shown.FindAsync([.. found.Hits.Select(static hit => hit.Entry.Canonical)], context.RequestAborted).ConfigureAwait(false);
        return new JsonAnswer(json => Write(json, found, crates, paging, query));
    }

    private static async ValueTask<IReadOnlySet<long>> OwnedAsync(Statements sql, long user) =>
        (await sql.QueryAsync("SELECT crate_id FROM owners WHERE user_id = $1", static row => row.Long(0), user).ConfigureAwait(false)).ToHashSet();

    private static void Write(Utf8JsonWriter json, SearchHits found, Dictionary<string, CrateObject> crates, Paging paging, IQueryCollection query)
    {
        var hits = found.Hits;
        json.WriteStartObject();
        json.WriteStartArray("crates");
        foreach (var hit in hits)
        {
            // One that was deleted a moment ago is left out; the projection will have followed by the next search.
            if (crates.TryGetValue(hit.Entry.Canonical, out var crate)) CrateJson.Write(json, crate, hit.IsExact);
        }

        json.WriteEndArray();
        json.WriteStartObject("meta");
        json.WriteNumber("total", hits.Count == 0 ? 0 : found.Total);
        json.WriteString("next_page", hits.Count == 0 ? null : paging.NextPage(query, found.Total, hits.Count, hits[^1].Place));
        json.WriteString("prev_page", paging.PreviousPage(query));
        json.WriteEndObject();
        json.WriteEndObject();
    }
}
