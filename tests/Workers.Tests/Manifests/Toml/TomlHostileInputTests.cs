using FsCheck;
using FsCheck.Fluent;
using Pipeline.Workers.Manifests.Toml;

namespace Pipeline.Workers.Tests.Manifests.Toml;

/// <summary>Inputs made to exhaust the stack, the memory or the clock. What is not linear would not end here in hours.</summary>
public class TomlHostileInputTests
{
    private const int Many = 300_000;

    [Theory]
    [InlineData("x = ", "[")]
    [InlineData("x = ", "{a=")]
    [InlineData("x = ", "[{a.b=")]
    [InlineData("[", "a.")]
    [InlineData("[[", "a.")]
    [InlineData("", "a.")]
    [InlineData("x = {", "a.")]
    public void Endless_nesting_is_refused(string start, string level)
    {
        TomlParser.TryParse(start + string.Concat(Enumerable.Repeat(level, Many)) + "a", out _, out var error).ShouldBeFalse();
        error!.Message.ShouldBe("the nesting is deeper than 128 levels");
    }

    [Theory]
    [InlineData(100, 27, true)]
    [InlineData(100, 28, false)]
    [InlineData(127, 0, true)]
    [InlineData(128, 0, false)]
    public void Headers_keys_and_arrays_count_as_levels_together(int headers, int arrays, bool valid)
    {
        var toml = $"[{string.Join('.', Enumerable.Repeat("a", headers))}]\na = {new string('[', arrays)}1{new string(']', arrays)}";

        TomlParser.TryParse(toml, out _, out _).ShouldBe(valid);
    }

    [Fact]
    public void Long_and_broad_documents_are_read_in_time_that_grows_with_their_length()
    {
        string[] documents =
        [
            string.Concat(Enumerable.Range(0, Many).Select(number => $"k{number} = 1\n")),
            string.Concat(Enumerable.Range(0, Many).Select(number => $"[t.k{number}]\n")),
            string.Concat(Enumerable.Repeat("[[a.b]]\n[a.b.c]\nd.e = 1\n", Many / 3)),
            $"x = [{string.Concat(Enumerable.Repeat("[],{},", Many / 2))}]",
            $"x = {{{string.Concat(Enumerable.Range(0, Many).Select(number => $"a.k{number}=1,"))}}}",
            $"x = \"\"\"{string.Concat(Enumerable.Repeat("\\\n \"\" \\u0041 ", Many / 4))}\"\"\"",
            $"x = 1{string.Concat(Enumerable.Repeat("_1", 8))}.{new string('1', Many)}",
            new string('\n', Many) + new string(' ', Many) + "#" + new string('#', Many),
            string.Concat(Enumerable.Range(0, 2000).Select(number => $"[{string.Join('.', Enumerable.Repeat("a", 120))}.k{number}]\n")),
        ];

        foreach (var document in documents)
            TomlParser.TryParse(document, out _, out var error).ShouldBeTrue(error?.Render());
    }

    [Fact]
    public void Random_bytes_are_read_or_refused_but_never_throw()
    {
        // The bytes that mean something to TOML come up more often than by chance.
        var meaningful = Gen.Elements("[]{}=,.\"'\\#\n\r\t -_+:0123456789abefnrtuxzTZ"u8.ToArray());
        var any = Gen.Choose(0, 255).Select(value => (byte)value);

        Prop.ForAll(Arb.From(Gen.Frequency((3, meaningful), (1, any)).ArrayOf()), ReadsOrExplains).Check(Config.QuickThrowOnFailure.WithMaxTest(5000));
    }

    [Fact]
    public void Mutated_documents_are_read_or_refused_but_never_throw()
    {
        var document = TomlSamples.Broad;
        var places =
            from at in Gen.Choose(0, document.Length - 1)
            from length in Gen.Choose(0, 60)
            from source in Gen.Choose(0, document.Length - 1)
            select (at, length, source);

        Prop.ForAll(Arb.From(places), place =>
        {
            var (at, length, source) = place;
            var copied = document[source..Math.Min(source + length, document.Length)];
            byte[] mutated = [.. document[..at], .. copied, .. document[Math.Min(at + (length / 2), document.Length)..]];
            return ReadsOrExplains(mutated);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(3000));
    }

    private static bool ReadsOrExplains(byte[] bytes)
    {
        var read = TomlParser.TryParse(bytes, out var root, out var error);
        if (read)
            return root is not null && error is null;
        var isShort = error!.Message.Length is > 0 and < 1000;
        return isShort && error.Line > 0 && error.Column > 0 && error.Render().EndsWith(error.Message + "\n", StringComparison.Ordinal);
    }
}
