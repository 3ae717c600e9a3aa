using Pipeline.Contracts.Categories;

namespace Pipeline.Contracts.Tests.Categories;

public class KnownCategoriesTests
{
    [Theory]
    [InlineData("algorithms", true)]
    [InlineData("development-tools::cargo-plugins", true)]
    [InlineData("no-std::no-alloc", true)]
    [InlineData("science::bioinformatics::genomics", true)]
    [InlineData("web-programming::http-server", true)]
    [InlineData("Algorithms", false)]
    [InlineData("http-server", false)]
    [InlineData("", false)]
    public void A_slug_is_known_by_its_exact_spelling(string slug, bool known) => KnownCategories.All.Contains(slug).ShouldBe(known);

    [Fact]
    public void Every_subcategory_has_its_parent()
    {
        var children = KnownCategories.All.Where(slug => slug.Contains("::", StringComparison.Ordinal)).ToList();

        children.Count.ShouldBeGreaterThan(30);
        children.ShouldAllBe(slug => KnownCategories.All.Contains(slug.Substring(0, slug.LastIndexOf("::", StringComparison.Ordinal))));
    }
}
