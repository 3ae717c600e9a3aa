using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Pipeline.Api.Http;
using Pipeline.Api.Search;

namespace Pipeline.Api.Tests.Search;

public class SearchIndexTests
{
    [Fact]
    public void Changed_crates_are_replaced_removed_and_put_in_order()
    {
        var index = With(new SearchIndex(), Changes(Entry(1, "b"), Entry(2, "d"), Entry(3, "a")));
        Names(index, "").ShouldBe("a, b, d");

        With(index, new Dictionary<long, SearchEntry?> { [2] = null, [1] = Entry(1, "e"), [4] = Entry(4, "c"), [9] = null });
        Names(index, "").ShouldBe("a, c, e");
    }

    [Fact]
    public void After_many_changes_nothing_is_lost_or_doubled()
    {
        var index = new SearchIndex();
        for (var round = 0; round < 3; round++)
            With(index, Changes([.. Enumerable.Range(1 + (round * 1000), 3000).Select(i => Entry(i, $"crate-{i}", $"round-{round}-x"))]));
        With(index, new Dictionary<long, SearchEntry?> { [1] = null, [5000] = Entry(5000, "crate-5000", "later") });

        Page(index, "", new Paging(1, null, null)).Total.ShouldBe(4999);
        Page(index, "q=round-0-x", new Paging(1, null, null)).Total.ShouldBe(999);
        Page(index, "q=round-2-x", new Paging(1, null, null)).Total.ShouldBe(2999);
        Names(index, "q=later").ShouldBe("crate-5000");
        // A word is not found across the border of two crates.
        Page(index, "q=xcrate", new Paging(1, null, null)).Total.ShouldBe(0);
    }

    [Theory]
    [InlineData("q=straße", "Strasse", "Die STRASSE und die Straße", true)]
    [InlineData("q=ÄPFEL", "fruit", "äpfel", true)]
    [InlineData("q=a-b", "x", "a_b", true)]
    [InlineData("q=a%5C", "x", "a\\b", true)]
    [InlineData("q=1+2+3+4+5+nothing", "x", "1 2 3 4 5", true)]
    [InlineData("q=1+2+3+4+nothing", "x", "1 2 3 4 5", false)]
    public void Words_are_found_whatever_their_case_the_first_five_of_them(string query, string name, string description, bool found) =>
        Names(With(new SearchIndex(), Changes(Entry(1, name, description))), query).ShouldBe(found ? name : "");

    [Theory]
    [InlineData("q=ab", 10)]
    [InlineData("q=a", 3)]
    [InlineData("sort=new", 7)]
    [InlineData("sort=recent-updates&q=b", 4)]
    [InlineData("", 100)]
    public void Pages_by_number_and_by_seek_are_those_of_everything_in_order(string query, int perPage)
    {
        var random = new Random(7);
        var index = With(new SearchIndex(), Changes([.. Enumerable.Range(1, 2500).Select(i => Entry(
            i, string.Concat(Enumerable.Range(0, 6).Select(_ => "ab_c"[random.Next(4)])) + i, "ab"[..random.Next(3)], random.Next(20), random.Next(20)))]));
        var all = Page(index, query, new Paging(int.MaxValue, null, null)).Hits;
        var (byNumber, bySeek) = (new List<SearchHit>(), new List<SearchHit>());
        for (var page = 1; Page(index, query, new Paging(perPage, page, null)) is { Hits.Count: > 0 } found; page++) byNumber.AddRange(found.Hits);
        for (SeekPoint? seek = null; Page(index, query, new Paging(perPage, null, seek)) is { Hits.Count: > 0 } found; seek = found.Hits[^1].Place)
        {
            found.Total.ShouldBe(all.Count);
            bySeek.AddRange(found.Hits);
        }

        all.Count.ShouldBeGreaterThan(50);
        byNumber.ShouldBe(all);
        bySeek.ShouldBe(all);
        all.Select(static hit => (hit.Place.Rank, hit.Place.Key)).ShouldBe(
            all.Select(static hit => (hit.Place.Rank, hit.Place.Key)).OrderBy(static place => place.Rank).ThenBy(static place => place.Key, StringComparer.Ordinal));
    }

    private static SearchIndex With(SearchIndex index, Dictionary<long, SearchEntry?> changes)
    {
        index.Apply(changes);
        return index;
    }

    private static Dictionary<long, SearchEntry?> Changes(params SearchEntry[] entries) => entries.ToDictionary(static entry => entry.Id, SearchEntry? (entry) => entry);

    private static SearchEntry Entry(long id, string name, string description = "", long created = 0, long updated = 0) =>
        SearchEntry.Of(id, Contracts.CanonicalName.Of(name).Text, name, description, "[]", "[]", true, created, updated);

    private static string Names(SearchIndex index, string query) => string.Join(", ", Page(index, query, new Paging(100, null, null)).Hits.Select(static hit => hit.Entry.Name));

    private static SearchHits Page(SearchIndex index, string query, Paging paging)
    {
        SearchQuery.TryRead(new QueryCollection(QueryHelpers.ParseQuery(query)), out var search, out _).ShouldBeTrue();
        return index.Find(search!, null, paging);
    }
}
