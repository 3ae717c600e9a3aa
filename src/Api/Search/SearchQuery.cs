using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Microsoft.AspNetCore.Http;
using Pipeline.Contracts;

namespace Pipeline.Api.Search;

/// <summary>How a search is sorted.</summary>
public enum SearchSort
{
    /// <summary>By name. Also what the sorts by downloads come to, which are not counted here.</summary>
    Alphabetical = 0,

    /// <summary>Names that match before descriptions that do.</summary>
    Relevance = 1,

    /// <summary>The last changed first.</summary>
    RecentUpdates = 2,

    /// <summary>The newest crate first.</summary>
    New = 3,
}

/// <summary>What a search asks for (crates-io-behaviour §6.6).</summary>
public sealed record SearchQuery
{
    /// <summary>How many words of a query, or keywords, are looked at.</summary>
    public const int MaxWords = 5;

    private const int MaxIds = 100;
    private const long NoNumber = long.MinValue;

    /// <summary>The query's canonical spelling: the crate of this name comes first, then names that begin with it. Empty: no query.</summary>
    public required string Exact { get; init; }

    /// <summary>What name, description and keywords together must have somewhere (<see cref="SearchEntry.Fold"/>).</summary>
    public required IReadOnlyList<byte[]> Words { get; init; }

    /// <summary>The keywords that a crate must have, in lower case.</summary>
    public required IReadOnlyList<string> Keywords { get; init; }

    /// <summary>The category that a crate must be in, or below; empty: any.</summary>
    public required string Category { get; init; }

    /// <summary>What the name must start with, in lower case; empty: anything.</summary>
    public required string Letter { get; init; }

    /// <summary>The account that must own the crate; null: any.</summary>
    public required long? UserId { get; init; }

    /// <summary>The names to choose from; empty: all.</summary>
    public required IReadOnlySet<string> Ids { get; init; }

    /// <summary>Whether crates are shown that have no version in force.</summary>
    public required bool IncludeYanked { get; init; }

    /// <summary>How it is sorted.</summary>
    public required SearchSort Sort { get; init; }

    /// <summary>What every crate that is found has in its words, folded: the words, and the keywords in their quotes.</summary>
    public IEnumerable<byte[]> Needles => Words.Concat(Keywords.Select(static keyword => SearchEntry.Fold($"\"{keyword}\"")));

    /// <summary>Whether a crate is found, whoever owns it.</summary>
    public bool Matches(SearchEntry crate)
    {
        ArgumentNullException.ThrowIfNull(crate);
        if (!crate.InForce && !IncludeYanked) return false;
        // Loops, since this runs for many crates of the registry.
        foreach (var word in Words)
        {
            if (crate.Words.AsSpan().IndexOf(word) < 0) return false;
        }

        foreach (var keyword in Keywords)
        {
            if (!crate.Keywords.Contains($"\"{keyword}\"", StringComparison.OrdinalIgnoreCase)) return false;
        }

        return (Category.Length == 0 || IsIn(crate.Categories))
            && (Letter.Length == 0 || HasLetter(crate, Letter[0]))
            && (Ids.Count == 0 || Ids.Contains(crate.Name));
    }

    /// <summary>Whether categories, a JSON list, have the one asked for, or one below it.</summary>
    internal bool IsIn(string categories) =>
        categories.Contains($"\"{Category}\"", StringComparison.Ordinal) || categories.Contains($"\"{Category}::", StringComparison.Ordinal);

    /// <summary>Whether a crate's name starts with a letter, given in lower case.</summary>
    internal static bool HasLetter(SearchEntry crate, char letter) => char.ToLowerInvariant(crate.Name[0]) == letter;

    /// <summary>Reads the parameters, or says what is wrong with them.</summary>
    public static bool TryRead(IQueryCollection query, [NotNullWhen(true)] out SearchQuery? search, [NotNullWhen(false)] out Reject? reject)
    {
        ArgumentNullException.ThrowIfNull(query);
        reject = null;
        var q = query["q"].ToString().Trim();
        var canonical = CanonicalName.Of(q).Text;
        var filter = Filter(query);
        search = new SearchQuery
        {
            Exact = canonical,
            Words = [.. canonical.Split([' ', '\t', '+'], StringSplitOptions.RemoveEmptyEntries).Take(MaxWords).Select(SearchEntry.Fold)],
            Keywords = [.. filter.Keywords.Take(MaxWords).Select(static keyword => keyword.ToLowerInvariant())],
            Category = query["category"].ToString(),
            Letter = filter.Letter.ToLowerInvariant(),
            UserId = filter.UserId,
            Ids = filter.Ids.ToHashSet(StringComparer.Ordinal),
            IncludeYanked = query["include_yanked"] == "yes",
            Sort = SortOf(query["sort"].ToString(), q.Length > 0),
        };
        if (filter.Letter.Length > 1) reject = Invalid("letter value must contain 1 character");
        else if (filter.UserId == NoNumber) reject = Invalid("invalid user_id parameter");
        if (reject is not null) search = null;
        return search is not null;
    }

    /// <summary>Of several filters one counts: all_keywords, keyword, letter, user_id, ids[], in this order.</summary>
    private static Filtered Filter(IQueryCollection query)
    {
        var none = new Filtered([], "", null, []);
        if (query["all_keywords"].ToString() is { Length: > 0 } all) return none with { Keywords = all.Split(' ', StringSplitOptions.RemoveEmptyEntries) };
        if (query["keyword"].ToString() is { Length: > 0 } keyword) return none with { Keywords = [keyword] };
        if (query["letter"].ToString() is { Length: > 0 } letter) return none with { Letter = letter };
        if (query["user_id"].ToString() is { Length: > 0 } user)
            return none with { UserId = long.TryParse(user, NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id : NoNumber };
        return query["ids[]"] is { Count: > 0 } ids ? none with { Ids = [.. ids.OfType<string>().Take(MaxIds)] } : none;
    }

    private static SearchSort SortOf(string sort, bool hasQuery) => sort switch
    {
        "recent-updates" => SearchSort.RecentUpdates,
        "new" => SearchSort.New,
        "alphabetical" or "downloads" or "recent-downloads" => SearchSort.Alphabetical,
        _ => hasQuery ? SearchSort.Relevance : SearchSort.Alphabetical,
    };

    private static Reject Invalid(Sentence text) => new(RejectCodes.InvalidRequest, 400, text);

    private sealed record Filtered(IReadOnlyList<string> Keywords, string Letter, long? UserId, IReadOnlyList<string> Ids);
}
