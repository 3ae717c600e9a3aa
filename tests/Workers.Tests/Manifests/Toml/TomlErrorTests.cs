using System.Text;
using Pipeline.Workers.Manifests.Toml;

namespace Pipeline.Workers.Tests.Manifests.Toml;

public class TomlErrorTests
{
    [Fact]
    public void An_error_is_rendered_below_its_line_with_carets()
    {
        var error = new TomlError("[package]\nversion = \"1.0.0\"", "missing field `name`", new TomlSpan(0, 9));

        error.Render().ShouldBe("TOML parse error at line 1, column 1\n  |\n1 | [package]\n  | ^^^^^^^^^\nmissing field `name`\n");
    }

    [Fact]
    public void The_gutter_grows_with_the_line_number()
    {
        var error = new TomlError(string.Concat(Enumerable.Repeat("a\n", 11)) + "xyz = 1", "no", new TomlSpan(24, 25));

        error.Render().ShouldBe("TOML parse error at line 12, column 3\n   |\n12 | xyz = 1\n   |   ^\nno\n");
    }

    [Fact]
    public void Carets_end_with_the_first_line_of_the_place()
    {
        var error = new TomlError("a = [\n1]\n", "no", new TomlSpan(4, 8));

        error.Render().ShouldBe("TOML parse error at line 1, column 5\n  |\n1 | a = [\n  |     ^\nno\n");
    }

    [Fact]
    public void Columns_and_carets_count_characters()
    {
        var error = new TomlError("k = '🦀é' x🦀\r\n", "no", new TomlSpan(10, 13));

        error.Column.ShouldBe(10);
        error.Render().ShouldBe("TOML parse error at line 1, column 10\n  |\n1 | k = '🦀é' x🦀\n  |          ^^\nno\n");
    }

    [Theory]
    [InlineData("a = ", 4, 1, 5)]
    [InlineData("a = [\n", 6, 1, 7)]
    [InlineData("", 0, 1, 1)]
    [InlineData("a\n\nb", 2, 2, 1)]
    public void The_end_of_the_text_is_behind_its_last_line(string text, int offset, int line, int column)
    {
        var error = new TomlError(text, "no", new TomlSpan(offset, offset));

        (error.Line, error.Column).ShouldBe((line, column));
        error.Render().ShouldContain(new string(' ', column) + "^\n");
    }

    [Fact]
    public void An_error_without_a_place_is_its_message() => new TomlError("", "missing field `name`", null).Render().ShouldBe("missing field `name`\n");

    [Fact]
    public void A_very_long_line_is_not_quoted()
    {
        var error = new TomlError($"a = '{new string('b', 5000)}' c", "no", new TomlSpan(5007, 5008));

        error.Render().ShouldBe("TOML parse error at line 1, column 5008\nno\n");
    }

    [Fact]
    public void A_very_long_key_is_shortened_in_the_message()
    {
        var key = new string('k', 5000);
        TomlParser.TryParse($"{key} = 1\n{key} = 2", out _, out var error).ShouldBeFalse();

        error!.Render().Length.ShouldBeLessThan(400);
    }

    [Fact]
    public void Bytes_that_are_no_UTF_8_are_reported_where_they_are()
    {
        byte[] bytes = [.. "a = 'é"u8, 0xC3, .. "'\n"u8];
        TomlParser.TryParse(bytes, out _, out var error).ShouldBeFalse();

        error!.Render().ShouldBe("TOML parse error at line 1, column 7\n  |\n1 | a = 'é\uFFFD'\n  |       ^\nexpected UTF-8, found bytes that are not\n");
    }

    [Fact]
    public void One_byte_order_mark_may_stand_first()
    {
        TomlParser.TryParse(Encoding.UTF8.GetBytes("\uFEFFa = 1"), out _, out _).ShouldBeTrue();
        TomlParser.TryParse("\uFEFF\uFEFFa = 1", out _, out var error).ShouldBeFalse();
        error!.Message.ShouldBe("expected a key, found U+FEFF");
    }
}
