using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Microsoft.AspNetCore.Http;
using Pipeline.Contracts;
using Pipeline.Registry.Database;

namespace Pipeline.Api.Crates;

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

/// <summary>What a search asks for (crates-io-behaviour §6.6), as patterns for SQL's LIKE with <c>\</c> as its escape.</summary>
public sealed record SearchQuery
{
    /// <summary>How many words of a query, or keywords, are looked at.</summary>
    public const int MaxWords = 5;

    private const string Anything = "%";
    private const int MaxIds = 100;
    private const long NoNumber = long.MinValue;

    /// <summary>The query's canonical spelling: the crate of this name comes first. Empty: no query.</summary>
    public required string Exact { get; init; }

    /// <summary>What a canonical name matches that starts with the query.</summary>
    public required string Prefix { get; init; }

    /// <summary>What a canonical name matches that has the query somewhere.</summary>
    public required string Within { get; init; }

    /// <summary>Patterns that name, description and keywords together must match, canonically spelt; <see cref="MaxWords"/> of them.</summary>
    public required IReadOnlyList<string> Words { get; init; }

    /// <summary>Patterns that the stored list of keywords must match, <see cref="MaxWords"/> of them.</summary>
    public required IReadOnlyList<string> Keywords { get; init; }

    /// <summary>Two patterns of which the stored list of categories must match one: the category, and those below it.</summary>
    public required IReadOnlyList<string> Categories { get; init; }

    /// <summary>What the name must start with, in lower case; empty: anything.</summary>
    public required string Letter { get; init; }

    /// <summary>The account that must own the crate; negative: any.</summary>
    public required long UserId { get; init; }

    /// <summary>The names to choose from: a JSON list; <c>[]</c>: all.</summary>
    public required string Ids { get; init; }

    /// <summary>Whether crates are shown that have no version in force.</summary>
    public required bool IncludeYanked { get; init; }

    /// <summary>How it is sorted.</summary>
    public required SearchSort Sort { get; init; }

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
            Prefix = $"{Escape(canonical)}%",
            Within = $"%{Escape(canonical)}%",
            Words = Patterns(canonical.Split([' ', '\t', '+'], StringSplitOptions.RemoveEmptyEntries), static word => $"%{Escape(word)}%"),
            Keywords = Patterns(filter.Keywords, static word => $"%\"{Escape(word.ToLowerInvariant())}\"%"),
            Categories = CategoryPatterns(query["category"].ToString()),
            Letter = filter.Letter.ToLowerInvariant(),
            UserId = filter.UserId,
            Ids = JsonTexts.Write(filter.Ids),
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
        var none = new Filtered([], "", -1, []);
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

    private static string[] Patterns(IReadOnlyList<string> words, Func<string, string> pattern)
    {
        var patterns = new string[MaxWords];
        for (var i = 0; i < MaxWords; i++) patterns[i] = i < words.Count ? pattern(words[i]) : Anything;
        return patterns;
    }

    private static string[] CategoryPatterns(string category) =>
        category.Length == 0 ? [Anything, Anything] : [$"%\"{Escape(category)}\"%", $"%\"{Escape(category)}::%"];

    private static string Escape(string text) => text
        .Replace("\\", "\\\\", StringComparison.Ordinal).Replace("%", "\\%", StringComparison.Ordinal).Replace("_", "\\_", StringComparison.Ordinal);

    private static Reject Invalid(string text) => new(RejectCodes.InvalidRequest, 400, text);

    private sealed record Filtered(IReadOnlyList<string> Keywords, string Letter, long UserId, IReadOnlyList<string> Ids);
}
