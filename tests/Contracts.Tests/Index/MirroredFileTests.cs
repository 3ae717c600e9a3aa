using System.Text;
using Pipeline.Contracts.Index;

namespace Pipeline.Contracts.Tests.Index;

public sealed class MirroredFileTests
{
    private const string Sum = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

    [Fact]
    public void Lines_are_read_whatever_else_they_say_in_whatever_order()
    {
        var text = $"{{\"new\":[{{}}],\"vers\":\"1.0.0+b\",\"cksum\":\"{Sum}\",\"name\":\"Foo\"}}\r\n\n{Line("foo", "2.0.0-a")}\n{Line("foo", "1.0.0", yanked: true)}";

        MirroredFile.TryRead(Encoding.UTF8.GetBytes(text), "foo", out var file, out _).ShouldBeTrue();

        file!.Name.ShouldBe("Foo");
        file.Lines.Select(static line => $"{line.Version.Text} {line.Yanked}").ShouldBe(["1.0.0+b False", "2.0.0-a False", "1.0.0 True"]);
        file.Default.Version.Text.ShouldBe("1.0.0+b");
        Encoding.UTF8.GetBytes(text)[file.Lines[1].Line].ShouldBe(Encoding.UTF8.GetBytes(Line("foo", "2.0.0-a")));
    }

    [Fact]
    public void Of_two_lines_with_one_version_the_last_counts()
    {
        var text = Line("foo", "1.0.0") + "\n" + Line("foo", "1.0.0", yanked: true) + "\n";
        MirroredFile.TryRead(Encoding.UTF8.GetBytes(text), "foo", out var file, out _).ShouldBeTrue();
        file!.Find("1.0.0")!.Value.Yanked.ShouldBeTrue();
        file.Find("1.0.1").ShouldBeNull();
    }

    [Theory]
    [InlineData("", "the file has no version")]
    [InlineData("\n \r\n", "the file has no version")]
    [InlineData("[]", "line 1: it is no JSON object")]
    [InlineData("{\"name\":\"foo\"", "line 1: it is no JSON object, or was cut off")]
    [InlineData("{\"vers\":\"1.0.0\"}", "line 1: it has no `name`")]
    [InlineData("{\"name\":7,\"vers\":\"1.0.0\"}", "line 1: it has no `name`")]
    [InlineData("{\"name\":\"bar\",\"vers\":\"1.0.0\"}", "line 1: its `name` is not that of the file, foo")]
    [InlineData("{\"name\":\"foo\",\"vers\":\"1\"}", "line 1: its `vers` is no version")]
    [InlineData("{\"name\":\"foo\",\"vers\":\"1.0.0\",\"cksum\":\"../x\"}", "line 1: its `cksum` is no SHA-256 in lower-case hex")]
    [InlineData("{\"name\":\"foo\",\"vers\":\"\\ud800\"}", "line 1: it has a text that is none")]
    [InlineData("OK\nrest", "line 2: it is no JSON object, or was cut off")]
    [InlineData("OK{}", "line 1: it is no JSON object, or was cut off")]
    public void A_file_that_cannot_be_shown_is_told_with_its_line(string text, string reason)
    {
        MirroredFile.TryRead(Encoding.UTF8.GetBytes(text.Replace("OK", Line("foo", "1.0.0"), StringComparison.Ordinal)), "foo", out var file, out var why).ShouldBeFalse();
        file.ShouldBeNull();
        why.ShouldBe(reason);
    }

    [Fact]
    public void Depth_size_and_lines_are_bounded()
    {
        var deep = $"{{\"name\":\"foo\",\"x\":{new string('[', 10_000)}{new string(']', 10_000)}}}";
        MirroredFile.TryRead(Encoding.UTF8.GetBytes(deep), "foo", out _, out var why).ShouldBeFalse();
        why.ShouldBe("line 1: it is no JSON object, or was cut off");
        MirroredFile.TryRead(new byte[MirroredFile.MaxBytes + 1], "foo", out _, out why).ShouldBeFalse();
        why!.ShouldContain("more than");
    }

    private static string Line(string name, string vers, bool yanked = false) => $"{{\"name\":\"{name}\",\"vers\":\"{vers}\",\"cksum\":\"{Sum}\",\"yanked\":{(yanked ? "true" : "false")}}}";
}
