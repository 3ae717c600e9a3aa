using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Pipeline.Api.Http;
using Pipeline.Contracts;
using Pipeline.Registry.Changes;
using Pipeline.Registry.Database;

namespace Pipeline.Api.Changes;

/// <summary>
/// The change feed: every publish, yank, unyank, deletion and change of owners, in order. A reader keeps the answer's cursor and asks for what
/// comes behind it.
/// </summary>
public static class ChangesEndpoint
{
    /// <summary>In place of a cursor: whatever comes after now.</summary>
    public const string Now = "now";

    private const int DefaultLimit = 100;
    private const int MostLimit = 1000;

    private static readonly Reject OtherEpoch = new(
        RejectCodes.OtherEpoch, StatusCodes.Status410Gone,
        "the cursor is of another epoch: the registry was restored from a backup since, and what followed the cursor may have come to pass differently. Read the feed from its start");

    /// <summary>Maps the endpoint.</summary>
    public static IEndpointRouteBuilder MapChanges(this IEndpointRouteBuilder routes)
    {
        routes.MapRead("/api/v1/changes", ShowAsync).WithSummary("What happened, in order: `since` a cursor or `now`, at most `limit`, waiting up to `wait` seconds for something");
        return routes;
    }

    private static async Task<IResult> ShowAsync(HttpContext context, IDatabase database, ChangeWatch watch)
    {
        // What follows a cursor changes at any moment, and a cache must not serve yesterday's end of the feed.
        context.Response.Headers.CacheControl = "no-store";
        var query = context.Request.Query;
        if (!TryNumber(query["limit"], 1, MostLimit, DefaultLimit, out var limit)) return Refusal.BadRequest($"`limit` is a number from 1 to {MostLimit}");
        if (!TryNumber(query["wait"], 0, ChangeWatch.MostSeconds, 0, out var wait)) return Refusal.BadRequest($"`wait` is a number of seconds from 0 to {ChangeWatch.MostSeconds}");
        var aborted = context.RequestAborted;
        var epoch = await database.ReadAsync(ChangeFeed.EpochAsync, aborted).ConfigureAwait(false);
        long after = 0;
        if (query["since"].ToString() is { Length: > 0 } since)
        {
            if (since == Now)
            {
                after = await database.ReadAsync(ChangeFeed.SettledAsync, aborted).ConfigureAwait(false);
            }
            else
            {
                if (!ChangeCursor.TryParse(since, out var cursor)) return Refusal.BadRequest("`since` is no cursor of a change feed");
                if (cursor.Epoch != epoch) return new Refusal(OtherEpoch);
                after = cursor.Id;
            }
        }

        var page = await database.ReadAsync(sql => ChangeFeed.ReadAsync(sql, after, limit), aborted).ConfigureAwait(false);
        if (page.Changes.Count == 0 && wait > 0)
        {
            await watch.WaitAsync(after, TimeSpan.FromSeconds(wait), aborted).ConfigureAwait(false);
            page = await database.ReadAsync(sql => ChangeFeed.ReadAsync(sql, after, limit), aborted).ConfigureAwait(false);
        }

        return new JsonAnswer(json => Write(json, page, new ChangeCursor(epoch, after), limit));
    }

    private static bool TryNumber(string? text, int least, int most, int otherwise, out int number)
    {
        number = otherwise;
        return text is null || (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number) && number >= least && number <= most);
    }

    private static void Write(Utf8JsonWriter json, ChangePage page, ChangeCursor start, int limit)
    {
        var last = page.Changes.Count == 0 ? start : start with { Id = page.Changes[^1].Id };
        json.WriteStartObject();
        json.WriteStartArray("changes");
        foreach (var change in page.Changes) change.Write(json, start.Epoch);
        json.WriteEndArray();
        json.WriteString("cursor", last.ToText());
        json.WriteBoolean("more", page.Changes.Count == limit && page.Settled > last.Id);
        json.WriteEndObject();
    }
}
