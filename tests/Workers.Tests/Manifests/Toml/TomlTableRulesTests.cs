using Pipeline.Workers.Manifests.Toml;

namespace Pipeline.Workers.Tests.Manifests.Toml;

public class TomlTableRulesTests
{
    [Theory]
    [InlineData("[a.b]\n[a]\n")]
    [InlineData("[a]\nb.c = 1\n[a.b.d]\n")]
    [InlineData("a.b = 1\na.c = 2\n")]
    [InlineData("a.b = 1\n[a.c]\n")]
    [InlineData("[a.b.c]\n[a]\nb.d = 1\n")]
    [InlineData("[[a]]\n[a.b]\n[[a]]\n[a.b]\n")]
    [InlineData("[[a]]\nb.c = 1\n[[a]]\nb.c = 1\n")]
    [InlineData("[[a.b]]\n[a]\nc = 1\n")]
    [InlineData("x = {a.b = 1, a.c = 2}\n")]
    [InlineData("[a]\n[\"a b\"]\n['a\tb']\n")]
    public void Tables_may_be_extended_like_this(string toml) => TomlParser.TryParse(toml, out _, out var error).ShouldBeTrue(error?.Render());

    [Theory]
    [InlineData("a = 1\na = 2", "the key `a` is already defined")]
    [InlineData("a = 1\n\"\\u0061\" = 2", "the key `a` is already defined")]
    [InlineData("[a]\n[a]", "the key `a` is already defined")]
    [InlineData("a.b = 1\n[a]", "the key `a` is already defined")]
    [InlineData("[a.b.c]\n[a]\nb.d = 1\n[a.b]", "the key `b` is already defined")]
    [InlineData("a = {}\n[a]", "the key `a` is already defined")]
    [InlineData("a = []\n[[a]]", "the key `a` is already defined")]
    [InlineData("[a.b]\n[[a]]", "the key `a` is already defined")]
    [InlineData("[[a]]\n[a]", "the key `a` is already defined")]
    [InlineData("a.b = 1\na.b.c = 2", "`b` cannot be extended here: it is no table")]
    [InlineData("a = {}\na.b = 1", "`a` cannot be extended here: it is an inline table, which is closed")]
    [InlineData("a = {b.c = 1}\n[a.b.d]", "`a` cannot be extended here: it is an inline table, which is closed")]
    [InlineData("a = [{}]\n[a.b]", "`a` cannot be extended here: it is an array")]
    [InlineData("[a.b]\n[a]\nb.c = 1", "`b` cannot be extended here: it is a table defined by its own header")]
    [InlineData("[[a.b]]\n[a]\nb.c = 1", "`b` cannot be extended here: it is an array of tables")]
    [InlineData("[[a.b]]\n[a]\nb.c.d = 1", "`b` cannot be extended here: it is an array of tables")]
    [InlineData("x = {a = 1, a.b = 2}", "`a` cannot be extended here: it is no table")]
    [InlineData("x = {a = {}, a.b = 2}", "`a` cannot be extended here: it is an inline table, which is closed")]
    public void Tables_may_not_be_defined_twice(string toml, string message)
    {
        TomlParser.TryParse(toml, out _, out var error).ShouldBeFalse();
        error!.Message.ShouldBe(message);
    }

    [Fact]
    public void Entries_keep_the_order_of_the_text_however_many_there_are()
    {
        var keys = Enumerable.Range(0, 100).Select(number => $"k{(number * 37) % 100}").ToArray();
        TomlParser.TryParse(string.Concat(keys.Select(key => $"{key} = '{key}'\n")), out var root, out _).ShouldBeTrue();

        root.Select(entry => entry.Key).ShouldBe(keys);
        foreach (var key in keys)
            root.TryGet(key, out var entry).ShouldBe(entry.Key == key);
        root.TryGetValue("none", out _).ShouldBeFalse();
    }
}
