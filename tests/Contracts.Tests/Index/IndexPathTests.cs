using Pipeline.Contracts.Index;

namespace Pipeline.Contracts.Tests.Index;

public class IndexPathTests
{
    [Theory]
    [InlineData("A", "1/a")]
    [InlineData("aB", "2/ab")]
    [InlineData("Abc", "3/a/abc")]
    [InlineData("a-c", "3/a/a-c")]
    [InlineData("Serde", "se/rd/serde")]
    [InlineData("a-_B", "a-/_b/a-_b")]
    [InlineData("Foo_Bar-baz", "fo/o_/foo_bar-baz")]
    public void A_crates_index_file_lies_below_folders_of_its_first_characters(string name, string path) =>
        IndexPath.Of(name).ShouldBe(path);

    [Fact]
    public void An_empty_name_has_no_path() => Should.Throw<ArgumentException>(() => IndexPath.Of(""));
}
