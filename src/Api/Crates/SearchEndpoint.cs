using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Pipeline.Api.Http;
using Pipeline.Registry.Database;

namespace Pipeline.Api.Crates;

/// <summary>Search and lists of crates (crates-io-behaviour §6.6). The crate whose name is the query comes first.</summary>
public static class SearchEndpoint
{
    private const int MaxRelevant = 1000;
    private const long First = long.MinValue + 1;

    private static readonly byte[] InForce = [1];
    private static readonly string ForSqlite = Sql(Dialect.Sqlite);
    private static readonly string ForPostgres = Sql(Dialect.Postgres);

    /// <summary>Maps the endpoint.</summary>
    public static IEndpointRouteBuilder MapSearch(this IEndpointRouteBuilder routes)
    {
        routes.MapRead("/api/v1/crates", SearchAsync).WithSummary("Searches and lists crates");
        return routes;
    }

    private static async Task<IResult> SearchAsync(HttpContext context, IDatabase database)
    {
        var query = context.Request.Query;
        if (!Paging.TryRead(query, out var paging, out var reject) || !SearchQuery.TryRead(query, out var search, out reject)) return new Refusal(reject);
        if (search.Sort == SearchSort.Relevance && paging.Offset >= MaxRelevant)
            return Refusal.BadRequest($"Cannot page beyond the first {MaxRelevant} results when sorting by relevance.");
        var hits = await database.ReadAsync(sql => FindAsync(sql, search, paging), context.RequestAborted).ConfigureAwait(false);
        return new JsonAnswer(json => Write(json, hits, paging, query));
    }

    private static ValueTask<List<Hit>> FindAsync(Statements sql, SearchQuery search, Paging paging) => sql.QueryAsync(
        sql.Dialect == Dialect.Postgres ? ForPostgres : ForSqlite,
        static row => new Hit(
            CrateViews.Read(row),
            row.Bool(CrateViews.ColumnCount),
            new SeekPoint(row.Long(CrateViews.ColumnCount + 1), row.Text(CrateViews.ColumnCount + 2)),
            row.Long(CrateViews.ColumnCount + 3)),
        [
            search.Exact, (long)search.Sort, search.Prefix, search.Within,
            search.Words[0], search.Words[1], search.Words[2], search.Words[3], search.Words[4],
            search.Keywords[0], search.Keywords[1], search.Keywords[2], search.Keywords[3], search.Keywords[4],
            search.Categories[0], search.Categories[1],
            search.Letter, search.UserId, search.Ids, search.IncludeYanked, InForce,
            paging.Seek?.Rank ?? long.MinValue, paging.Seek?.Key ?? "", (long)paging.PerPage, paging.Offset,
        ]);

    /// <summary>
    /// One text for all searches, so that it is prepared once: a filter that is not asked for lets everything pass. The inner part sorts
    /// rows of a few columns; only the page's crates are then read whole.
    /// </summary>
    private static string Sql(Dialect dialect) =>
        $$"""
        SELECT {{CrateViews.Columns}}, p.exact, p.place, p.canonical, p.total
        FROM (
            SELECT h.id, h.exact, h.place, h.canonical, h.total
            FROM (
                SELECT c.id, c.canonical, c.canonical = $1 AND $1 <> '' AS exact, COUNT(*) OVER () AS total,
                    CASE WHEN c.canonical = $1 AND $1 <> '' THEN {{First}} ELSE
                        CASE $2
                            WHEN 1 THEN CASE WHEN c.canonical LIKE $3 ESCAPE '\' THEN 1 WHEN c.canonical LIKE $4 ESCAPE '\' THEN 2 ELSE 3 END
                            WHEN 2 THEN -c.updated_at
                            WHEN 3 THEN -c.created_at
                            ELSE 0
                        END
                    END AS place
                FROM (
                    SELECT id, canonical, name, updated_at, created_at, keywords, categories, default_rank,
                        replace(lower(name || ' ' || keywords || ' ' || coalesce(description, '')), '-', '_') AS words
                    FROM crates WHERE namespace = '' AND served AND state = 'active'
                ) c
                WHERE {{Matches("c.words", 5, SearchQuery.MaxWords)}}
                    AND {{Matches("c.keywords", 10, SearchQuery.MaxWords)}}
                    AND ($15 = '%' OR c.categories LIKE $15 ESCAPE '\' OR c.categories LIKE $16 ESCAPE '\')
                    AND ($17 = '' OR lower(substr(c.name, 1, 1)) = $17)
                    AND ($18 < 0 OR EXISTS (SELECT 1 FROM owners o WHERE o.crate_id = c.id AND o.user_id = $18))
                    AND ($19 = '[]' OR c.name IN {{dialect.TextList("$19")}})
                    AND ($20 OR substr(c.default_rank, 1, 1) = $21)
            ) h
            WHERE h.place > $22 OR (h.place = $22 AND h.canonical > $23)
            ORDER BY h.place, h.canonical LIMIT $24 OFFSET $25
        ) p
        JOIN crates c ON c.id = p.id
        ORDER BY p.place, p.canonical
        """;

    /// <summary>What matches all of some patterns; the pattern of anything is not tried, as the words are put together anew for each.</summary>
    private static string Matches(string column, int first, int count) =>
        string.Join(" AND ", Enumerable.Range(first, count).Select(at => $"(${at} = '%' OR {column} LIKE ${at} ESCAPE '\\')"));

    private static void Write(Utf8JsonWriter json, List<Hit> hits, Paging paging, IQueryCollection query)
    {
        json.WriteStartObject();
        json.WriteStartArray("crates");
        foreach (var hit in hits) CrateJson.Write(json, hit.Crate, hit.IsExact);
        json.WriteEndArray();
        var total = hits.Count == 0 ? 0 : hits[0].Total;
        json.WriteStartObject("meta");
        json.WriteNumber("total", total);
        json.WriteString("next_page", hits.Count == 0 ? null : paging.NextPage(query, total, hits.Count, hits[^1].Place));
        json.WriteString("prev_page", paging.PreviousPage(query));
        json.WriteEndObject();
        json.WriteEndObject();
    }

    /// <param name="Crate">The crate.</param>
    /// <param name="IsExact">Whether its name is the query.</param>
    /// <param name="Place">Where it stands in the order.</param>
    /// <param name="Total">How many there are in all.</param>
    private sealed record Hit(CrateObject Crate, bool IsExact, SeekPoint Place, long Total);
}
