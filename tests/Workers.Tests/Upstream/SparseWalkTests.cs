using Pipeline.Workers.Upstream;

namespace Pipeline.Workers.Tests.Upstream;

/// <summary>What is asked of a sparse index.</summary>
public sealed class SparseWalkTests
{
    private static readonly FileMark Mark = new("\"1\"", null);

    // name as listed, with a mark? | crates here, `*` gone | bad paths, `!` due | asks as PATH,PATH?mark | pruned
    [Theory]
    [InlineData("serde", "", "", "se/rd/serde", "")]
    [InlineData("serde+", "serde", "", "se/rd/serde?mark", "")]
    [InlineData("serde", "serde", "", "se/rd/serde", "")]
    [InlineData("serde+", "", "", "se/rd/serde", "")]
    [InlineData("serde+", "serde*", "", "se/rd/serde", "")]
    [InlineData("serde+", "serde", "se/rd/serde", "", "")]
    [InlineData("serde+", "serde", "se/rd/serde!", "se/rd/serde", "")]
    [InlineData("One_A", "", "", "on/e_/one_a,on/e-/one-a", "")]
    [InlineData("One_A+", "one-a", "", "on/e-/one-a?mark", "")]
    [InlineData("One_A", "", "on/e-/one-a", "", "")]
    [InlineData("b a", "", "", "1/a 1/b", "")]
    [InlineData("a", "a b", "", "1/a", "1/b")]
    [InlineData("a", "", "1/b config.json", "1/a", "1/b")]
    [InlineData("", "a", "", "", "1/a")]
    public void A_name_is_asked_for_by_what_is_known_of_it(string allowed, string here, string bad, string asks, string pruned)
    {
        var walk = SparseWalk.Of(
            [.. Words(allowed).Select(static word => new AllowedName(word.TrimEnd('+').ToLowerInvariant().Replace('-', '_'), word.TrimEnd('+'), word.EndsWith('+') ? Mark : null))],
            [.. Words(here).Select(static word => new HeldCrate(word.TrimEnd('*').ToLowerInvariant().Replace('-', '_'), word.TrimEnd('*'), word.EndsWith('*')))],
            Words(bad).ToDictionary(static word => word.TrimEnd('!'), static word => word.EndsWith('!')));

        string.Join(' ', walk.Asks.Select(static ask => string.Join(',', ask.Paths) + (ask.Mark is null ? "" : "?mark"))).ShouldBe(asks);
        string.Join(' ', walk.Pruned).ShouldBe(pruned);
    }

    private static string[] Words(string text) => text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
}
