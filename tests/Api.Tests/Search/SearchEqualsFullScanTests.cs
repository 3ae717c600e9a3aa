using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Pipeline.Api.Http;
using Pipeline.Api.Search;
using Pipeline.Contracts;

namespace Pipeline.Api.Tests.Search;

public class SearchEqualsFullScanTests
{
    private static readonly string[] Pieces =
        ["json", "js", "on", "serde", "a", "b", "_", "-", "x1", "tokio", "rust", "é", "Straße", "日本", ",", "\"", "::", "%", "\\", "(", "1", "aa", "aaa", "web", "\n", "0"];

    private static readonly string[] Keywords = ["cli", "json", "a-b", "a_b", "web", "no-std", "x"];
    private static readonly string[] Categories = ["parsing", "parsing::json", "web", "web-programming", "cli"];
    private static readonly string[] Sorts = ["", "relevance", "alphabetical", "new", "recent-updates", "downloads"];

    [Theory]
    [InlineData(1, 30)]
    [InlineData(2, 300)]
    [InlineData(3, 300)]
    [InlineData(4, 3000)]
    [InlineData(5, 3000)]
    [InlineData(6, 12000)]
    public void Whatever_changes_and_whatever_is_asked_the_answer_is_that_of_a_look_at_every_crate(int seed, int crates)
    {
        var random = new Random(seed);
        using var index = new SearchIndex();
        var held = new Dictionary<long, SearchEntry>();
        for (var round = 0; round < 8; round++)
        {
            Change(random, index, held, crates, round == 0 ? crates : random.Next(1, crates / 3));
            for (var i = 0; i < 60; i++) Compare(random, index, held);
        }

        // Everything goes, and the same comes back.
        index.Apply(held.Keys.ToDictionary(static id => id, static SearchEntry? (_) => null));
        index.Find(Query(""), null, new Paging(10, null, null)).Total.ShouldBe(0);
        index.Apply(held.ToDictionary(static crate => crate.Key, static SearchEntry? (crate) => crate.Value));
        for (var i = 0; i < 60; i++) Compare(random, index, held);
    }

    [Fact]
    public void Searches_and_changes_at_the_same_time_do_not_disturb_each_other()
    {
        using var index = new SearchIndex();
        index.Apply(Enumerable.Range(1, 2000).ToDictionary(static id => (long)id, static SearchEntry? (id) => Entry(new Random(id), id)));
        Parallel.For(0, 8, worker =>
        {
            var random = new Random(worker);
            for (var i = 0; i < 200; i++)
            {
                if (worker == 0) index.Apply([new(random.Next(1, 2000), Entry(random, random.Next(1, 2000)))]);
                else index.Find(Query("q=json&include_yanked=yes"), null, new Paging(100, null, null)).Hits.Count.ShouldBe(100);
            }
        });
    }

    private static void Change(Random random, SearchIndex index, Dictionary<long, SearchEntry> held, int crates, int count)
    {
        var changed = new Dictionary<long, SearchEntry?>();
        for (var i = 0; i < count; i++)
        {
            var id = random.Next(1, crates + 1);
            var entry = random.Next(5) == 0 ? null : Entry(random, id);
            // As most changes are: another version of a crate that says what it said.
            if (entry is not null && random.Next(2) == 0 && held.TryGetValue(id, out var old)) entry = old with { UpdatedAt = entry.UpdatedAt, InForce = entry.InForce };
            changed[id] = entry;
            if (entry is null) held.Remove(id);
            else held[id] = entry;
        }

        index.Apply(changed);
    }

    private static void Compare(Random random, SearchIndex index, Dictionary<long, SearchEntry> held)
    {
        var text = Text(random, held);
        var search = Query(text);
        var owned = random.Next(8) == 0 ? held.Keys.Where(static id => id % 3 == 0).Append(-1).ToHashSet() : null;
        SeekPoint? seek = null;
        if (random.Next(3) == 0 && FullScan.Find(held.Values, search, owned, new Paging(int.MaxValue, null, null)).Hits is { Count: > 0 } all) seek = all[random.Next(all.Count)].Place;
        var paging = new Paging(random.Next(1, 101), seek is null && random.Next(2) == 0 ? random.Next(1, 8) : null, seek);

        var (found, expected) = (index.Find(search, owned, paging), FullScan.Find(held.Values, search, owned, paging));

        found.Total.ShouldBe(expected.Total, text);
        found.Hits.ShouldBe(expected.Hits, text);
    }

    private static string Text(Random random, Dictionary<long, SearchEntry> held)
    {
        var parts = new List<string> { $"sort={Sorts[random.Next(Sorts.Length)]}" };
        if (random.Next(4) > 0) parts.Add($"q={Uri.EscapeDataString(Asked(random, held))}");
        if (random.Next(4) == 0) parts.Add("include_yanked=yes");
        if (random.Next(6) == 0) parts.Add($"category={Categories[random.Next(Categories.Length)]}");
        parts.Add(random.Next(12) switch
        {
            0 => $"letter={Uri.EscapeDataString("jAx_-1é"[random.Next(7)].ToString())}",
            1 => $"keyword={Keywords[random.Next(Keywords.Length)]}",
            2 => $"all_keywords={Keywords[random.Next(Keywords.Length)]}%20{Keywords[random.Next(Keywords.Length)].ToUpperInvariant()}",
            3 => string.Join('&', Enumerable.Range(0, 9).Select(_ => $"ids[]={Uri.EscapeDataString(Some(random, held)?.Name ?? "none")}")),
            _ => "",
        });
        return string.Join('&', parts);
    }

    private static string Asked(Random random, Dictionary<long, SearchEntry> held) => random.Next(5) switch
    {
        0 => Some(random, held)?.Name ?? "json",
        1 when Some(random, held) is { } crate => Cut(random, Fold(crate)),
        2 => string.Join(' ', Enumerable.Range(0, random.Next(1, 7)).Select(_ => Pieces[random.Next(Pieces.Length)])),
        _ => string.Concat(Enumerable.Range(0, random.Next(1, 4)).Select(_ => Pieces[random.Next(Pieces.Length)])),
    };

    private static string Fold(SearchEntry crate) => System.Text.Encoding.UTF8.GetString(crate.Words);

    private static string Cut(Random random, string text)
    {
        var from = random.Next(text.Length);
        return text.Substring(from, random.Next(1, Math.Min(12, text.Length - from) + 1));
    }

    private static SearchEntry? Some(Random random, Dictionary<long, SearchEntry> held) => held.Count == 0 ? null : held.Values.ElementAt(random.Next(held.Count));

    private static SearchEntry Entry(Random random, long id)
    {
        var name = string.Concat(Enumerable.Range(0, random.Next(1, 4)).Select(_ => Pieces[random.Next(11)])) + id;
        var description = string.Join(random.Next(3) == 0 ? "" : " ", Enumerable.Range(0, random.Next(9)).Select(_ => Pieces[random.Next(Pieces.Length)]));
        return SearchEntry.Of(
            id, CanonicalName.Of(name).Text, name, description, List(random, Keywords), List(random, Categories), random.Next(6) > 0, random.Next(50), random.Next(50));
    }

    private static string List(Random random, string[] words) =>
        "[" + string.Join(',', Enumerable.Range(0, random.Next(4)).Select(_ => $"\"{words[random.Next(words.Length)]}\"")) + "]";

    private static SearchQuery Query(string text)
    {
        SearchQuery.TryRead(new QueryCollection(QueryHelpers.ParseQuery(text)), out var search, out _).ShouldBeTrue();
        return search!;
    }
}
