using System.Text;

namespace Pipeline.Contracts.Tests;

public class QuotedTests
{
    private static readonly string Endless = new('a', 2_000_000);

    [Fact]
    public void A_refusal_repeats_no_more_than_200_characters_of_a_value()
    {
        var reject = new Reject("code", 400, $"no known crate named `{Endless}`");

        reject.Text.ShouldBe($"no known crate named `{Endless[..199]}…`");
    }

    [Fact]
    public void A_value_of_200_characters_is_repeated_whole() => new Reject("code", 400, $"`{Endless[..200]}`").Text.ShouldBe($"`{Endless[..200]}`");

    [Fact]
    public void No_refusal_is_longer_than_4_KiB_however_it_was_put_together()
    {
        foreach (var character in new[] { "a", "é", "語", "🦀", "\0" })
        {
            var text = new Reject("code", 400, string.Concat(Enumerable.Repeat(character, 100_000))).Text;

            Encoding.UTF8.GetByteCount(text).ShouldBeInRange(4096 - 6, 4096);
            text.ShouldEndWith("…");
        }
    }

    [Fact]
    public void No_half_of_a_surrogate_pair_is_left_where_a_value_is_cut() =>
        Quoted.Value("a" + string.Concat(Enumerable.Repeat("🦀", 200))).ShouldBe("a" + string.Concat(Enumerable.Repeat("🦀", 99)) + "…");

    [Fact]
    public void A_sentence_within_a_sentence_is_repeated_whole()
    {
        var inner = string.Join(' ', Enumerable.Repeat("words", 100));

        new Reject("code", 400, $"because:\n{inner:whole}").Text.ShouldBe($"because:\n{inner}");
    }

    [Fact]
    public void The_names_and_values_of_rules_are_cut()
    {
        NameRules.Check(Endless, NameUse.Crate)!.Text.Length.ShouldBeLessThan(400);
        FeatureRules.CheckName("-" + Endless)!.Text.Length.ShouldBeLessThan(400);
        CrateVersion.TryParsePublished(Endless, out _, out var reject).ShouldBeFalse();
        reject!.Text.Length.ShouldBeLessThan(400);
        RegistryRejects.UnknownCategories([Endless, "b"]).Text.Length.ShouldBeLessThan(400);
    }

    [Theory]
    [InlineData("plain é 語 🦀\n\ttext", "plain é 語 🦀\n\ttext")]
    [InlineData("a\u001b[2Jb", "a\\u001b[2Jb")]
    [InlineData("a\rb\u0007\u009b\u007f", "a\\u000db\\u0007\\u009b\\u007f")]
    [InlineData("a\u202eb\u2066c\u2028", "a\\u202eb\\u2066c\\u2028")]
    public void Control_characters_are_shown_and_not_done(string text, string shown) => Printable.Of(text).ShouldBe(shown);

    [Fact]
    public void On_one_line_there_is_no_line_break() => Printable.OneLine("a\r\nb\tc\u001b").ShouldBe("a b c\\u001b");
}
