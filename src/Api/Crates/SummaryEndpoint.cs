using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Pipeline.Api.Http;
using Pipeline.Registry.Database;
using Pipeline.Registry.Truth;

namespace Pipeline.Api.Crates;

/// <summary>What a front page shows: how many crates there are, the newest and the last changed. Downloads are not counted.</summary>
public static class SummaryEndpoint
{
    private const long Shown = 10;
    private const long Looked = 200;

    /// <summary>Maps the endpoint.</summary>
    public static IEndpointRouteBuilder MapSummary(this IEndpointRouteBuilder routes)
    {
        routes.MapRead("/api/v1/summary", ShowAsync).WithSummary("Numbers and news of the registry");
        return routes;
    }

    private static async Task<IResult> ShowAsync(IDatabase database, RareCounts counts, CancellationToken cancellationToken)
    {
        var summary = await database.ReadAsync(sql => ReadAsync(sql, counts), cancellationToken).ConfigureAwait(false);
        return new JsonAnswer(json => Write(json, summary));
    }

    private static async ValueTask<Summary> ReadAsync(Statements sql, RareCounts counts)
    {
        var totals = await RegistryTotals.ReadAsync(sql, counts).ConfigureAwait(false);
        var newest = await sql.QueryAsync(
            $"SELECT {CrateViews.Columns} FROM crates c WHERE c.state = 'active' AND c.served ORDER BY c.id DESC LIMIT $1", CrateViews.Read, Shown).ConfigureAwait(false);
        // The feed of changes is in order; sorting all crates by their time would read them all.
        var updated = await sql.QueryAsync(
            $"""
            SELECT {CrateViews.Columns} FROM
                (SELECT crate_id, MAX(id) AS last FROM (SELECT id, crate_id FROM changes ORDER BY id DESC LIMIT $2) recent GROUP BY crate_id) l
            JOIN crates c ON c.id = l.crate_id AND c.state = 'active' ORDER BY l.last DESC LIMIT $1
            """,
            CrateViews.Read,
            Shown, Looked).ConfigureAwait(false);
        return new Summary(totals.Shown, newest, updated);
    }

    private static void Write(Utf8JsonWriter json, Summary summary)
    {
        json.WriteStartObject();
        json.WriteNumber("num_downloads", 0);
        json.WriteNumber("num_crates", summary.Count);
        WriteCrates(json, "new_crates", summary.Newest);
        WriteCrates(json, "most_downloaded", []);
        WriteCrates(json, "most_recently_downloaded", []);
        WriteCrates(json, "just_updated", summary.Updated);
        WriteCrates(json, "popular_keywords", []);
        WriteCrates(json, "popular_categories", []);
        json.WriteEndObject();
    }

    private static void WriteCrates(Utf8JsonWriter json, string name, List<CrateObject> crates)
    {
        json.WriteStartArray(name);
        foreach (var crate in crates) CrateJson.Write(json, crate);
        json.WriteEndArray();
    }

    private sealed record Summary(long Count, List<CrateObject> Newest, List<CrateObject> Updated);
}
