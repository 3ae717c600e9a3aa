using System.Text;
using Pipeline.Contracts;
using Pipeline.Registry.Database;

namespace Pipeline.Api.Search;

/// <summary>What a search looks at of one crate.</summary>
/// <param name="Id">The crate's row.</param>
/// <param name="Canonical">Its canonical name.</param>
/// <param name="Name">Its name.</param>
/// <param name="Words">Name, keywords and description, canonically spelt, in UTF-8: what words are looked for in.</param>
/// <param name="Keywords">Its keywords, in lower case.</param>
/// <param name="Categories">Its categories.</param>
/// <param name="InForce">Whether it has a version that is not yanked.</param>
/// <param name="CreatedAt">When it was made, microseconds.</param>
/// <param name="UpdatedAt">When anything of it changed last, microseconds.</param>
public sealed record SearchEntry(
    long Id, string Canonical, string Name, byte[] Words, IReadOnlyList<string> Keywords, IReadOnlyList<string> Categories, bool InForce, long CreatedAt, long UpdatedAt)
{
    /// <summary>An entry from a row of the projection.</summary>
    public static SearchEntry Of(long id, string canonical, string name, string description, string keywords, string categories, bool inForce, long createdAt, long updatedAt) => new(
        id, canonical, name == canonical ? canonical : name, Fold($"{name} {keywords} {description}"),
        keywords == "[]" ? [] : Array.ConvertAll(JsonTexts.Read(keywords), static keyword => keyword.ToLowerInvariant()), JsonTexts.Read(categories), inForce, createdAt, updatedAt);

    /// <summary>A text as words are looked for in it, or as they are looked for.</summary>
    public static byte[] Fold(string text) => Encoding.UTF8.GetBytes(CanonicalName.Of(text).Text);
}
