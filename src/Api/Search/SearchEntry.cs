using System.Text;
using Pipeline.Contracts;

namespace Pipeline.Api.Search;

/// <summary>What a search looks at of one crate.</summary>
/// <param name="Id">The crate's row.</param>
/// <param name="Canonical">Its canonical name.</param>
/// <param name="Name">Its name.</param>
/// <param name="Keywords">Its keywords: a JSON list.</param>
/// <param name="Categories">Its categories: a JSON list.</param>
/// <param name="InForce">Whether it has a version that is not yanked.</param>
/// <param name="CreatedAt">When it was made, microseconds.</param>
/// <param name="UpdatedAt">When anything of it changed last, microseconds.</param>
public sealed record SearchEntry(long Id, string Canonical, string Name, string Keywords, string Categories, bool InForce, long CreatedAt, long UpdatedAt)
{
    /// <summary>Name, keywords and description, folded (<see cref="Fold"/>): what words are looked for in. The canonical name stands first.</summary>
    public required byte[] Words { get; init; }

    /// <summary>How many bytes of <see cref="Words"/> are the canonical name, which is ASCII.</summary>
    public int NameLength => Math.Min(Words.Length, Canonical.Length);

    /// <summary>An entry from a row of the projection.</summary>
    public static SearchEntry Of(long id, string canonical, string name, string description, string keywords, string categories, bool inForce, long createdAt, long updatedAt) =>
        new(id, canonical, name == canonical ? canonical : name, string.IsInterned(keywords) ?? keywords, string.IsInterned(categories) ?? categories, inForce, createdAt, updatedAt)
        {
            Words = Fold($"{name} {keywords} {description}"),
        };

    /// <summary>A text as words are looked for in it, or as they are looked for: canonically spelt, in UTF-8.</summary>
    public static byte[] Fold(string text) => Encoding.UTF8.GetBytes(CanonicalName.Of(text).Text);
}
