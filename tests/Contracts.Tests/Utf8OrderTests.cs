using System.Text;
using FsCheck;
using FsCheck.Fluent;

namespace Pipeline.Contracts.Tests;

public class Utf8OrderTests
{
    [Theory]
    [InlineData("", "a")]
    [InlineData("a", "a-")]
    [InlineData("Z", "a")]
    [InlineData("a-", "a_")]
    [InlineData("é", "\uffff")]
    [InlineData("\uffff", "\U00010000")]
    [InlineData("a\ue000b", "a\U0010ffffa")]
    [InlineData("\U00010000", "\U00010001")]
    [InlineData(null, "")]
    public void Strings_sort_as_their_utf8_bytes(string? smaller, string greater)
    {
        Utf8Order.Instance.Compare(smaller, greater).ShouldBeLessThan(0);
        Utf8Order.Instance.Compare(greater, smaller).ShouldBeGreaterThan(0);
        Utf8Order.Instance.Compare(greater, greater).ShouldBe(0);
    }

    [Fact]
    public void Any_two_texts_compare_as_their_bytes_do()
    {
        var rune = Gen.Elements(0x20, 0x41, 0xe9, 0xd7ff, 0xe000, 0xffff, 0x10000, 0x10ffff).Select(value => new Rune(value).ToString());
        var text = rune.ListOf().Select(string.Concat).ToArbitrary();

        Prop.ForAll(text, text, (x, y) =>
            Math.Sign(Utf8Order.Instance.Compare(x, y))
                == Math.Sign(Encoding.UTF8.GetBytes(x).AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(y))))
            .QuickCheckThrowOnFailure();
    }
}
