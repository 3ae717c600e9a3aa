using System.Text;
using Pipeline.Api.Http;
using Pipeline.Api.Search;

namespace Pipeline.Api.Tests.Search;

/// <summary>What a search finds, and in which order, said in the simplest way: every crate is looked at.</summary>
internal static class FullScan
{
    private const long First = long.MinValue + 1;

    public static SearchHits Find(IEnumerable<SearchEntry> crates, SearchQuery search, IReadOnlySet<long>? owned, Paging paging)
    {
        var all = crates.Where(crate => search.Matches(crate) && owned?.Contains(crate.Id) != false)
            .Select(crate => new SearchHit(crate, IsExact(search, crate), new SeekPoint(PlaceOf(search, crate), crate.Canonical)))
            .OrderBy(static hit => hit.Place.Rank).ThenBy(static hit => hit.Place.Key, StringComparer.Ordinal).ToList();
        var page = all.Where(hit => paging.Seek is not { } seek || IsBehind(hit.Place, seek)).Skip((int)paging.Offset).Take(paging.PerPage);
        return new SearchHits(all.Count, [.. page]);
    }

    private static bool IsExact(SearchQuery search, SearchEntry crate) => search.Exact.Length > 0 && crate.Canonical == search.Exact;

    private static long PlaceOf(SearchQuery search, SearchEntry crate) => IsExact(search, crate) ? First : search.Sort switch
    {
        SearchSort.Relevance => Encoding.UTF8.GetBytes(crate.Canonical).AsSpan().IndexOf(Encoding.UTF8.GetBytes(search.Exact)) switch { 0 => 1, > 0 => 2, _ => 3 },
        SearchSort.RecentUpdates => -crate.UpdatedAt,
        SearchSort.New => -crate.CreatedAt,
        _ => 0,
    };

    private static bool IsBehind(SeekPoint place, SeekPoint seek) =>
        place.Rank != seek.Rank ? place.Rank > seek.Rank : string.CompareOrdinal(place.Key, seek.Key) > 0;
}
