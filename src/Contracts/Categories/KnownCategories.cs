using System.Collections.Frozen;

namespace Pipeline.Contracts.Categories;

/// <summary>The category slugs of crates.io. A crate may name no other (crates-io-behaviour §1.4 row 42) unless this registry adds some.</summary>
public static class KnownCategories
{
    /// <summary>Every slug, subcategories as <c>parent::child</c>. Matching is exact: case and spelling count.</summary>
    public static FrozenSet<string> All { get; } = EmbeddedLines.ReadSet(typeof(KnownCategories).Assembly, "category-slugs.txt");
}
