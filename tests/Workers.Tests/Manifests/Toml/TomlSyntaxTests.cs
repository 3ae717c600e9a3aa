using Pipeline.Workers.Manifests.Toml;

namespace Pipeline.Workers.Tests.Manifests.Toml;

public class TomlSyntaxTests
{
    [Theory]
    [InlineData("x = \"\\e[0m\\x41\\u00e9\\U0001F980\"", "\u001b[0mA\u00e9\U0001F980")]
    [InlineData("x = \"\\x00\\xff\"", "\0\u00ff")]
    [InlineData("x = \"a\tb\"", "a\tb")]
    [InlineData("x = 'c:\\n'", "c:\\n")]
    [InlineData("x = \"\"\"\n\na\r\nb\"\"\"", "\na\r\nb")]
    [InlineData("x = \"\"\"a \\ \t\n\n   b\\\r\n\tc\"\"\"", "a bc")]
    [InlineData("x = \"\"\"\"\"a\"\"b\"\"\"\"\"", "\"\"a\"\"b\"\"")]
    [InlineData("x = '''''a''b'''''", "''a''b''")]
    [InlineData("x = \"\"\"\"\"\"", "")]
    [InlineData("x = \"\"\"\\\n\"\"\"", "")]
    [InlineData("x = \"\u0080\uFFFF\"", "\u0080\uFFFF")]
    public void A_string_holds_its_text(string toml, string text) => Only(toml).ShouldBeOfType<TomlString>().Value.ShouldBe(text);

    [Theory]
    [InlineData("9223372036854775807", long.MaxValue)]
    [InlineData("-9223372036854775808", long.MinValue)]
    [InlineData("+1_2_3", 123)]
    [InlineData("-0", 0)]
    [InlineData("0x7FFF_FFFF_FFFF_FFFF", long.MaxValue)]
    [InlineData("0x000000000000000000ff", 255)]
    [InlineData("0o0017", 15)]
    [InlineData("0b1_0", 2)]
    public void An_integer_has_its_value(string digits, long value) => Only($"x = {digits}").ShouldBeOfType<TomlInteger>().Value.ShouldBe(value);

    [Theory]
    [InlineData("1e06", 1e6)]
    [InlineData("-0.0", -0.0)]
    [InlineData("6.626_070E-3_4", 6.626070e-34)]
    [InlineData("1e-400", 0)]
    [InlineData("+inf", double.PositiveInfinity)]
    [InlineData("-inf", double.NegativeInfinity)]
    [InlineData("-nan", double.NaN)]
    public void A_float_has_its_value(string digits, double value) => Only($"x = {digits}").ShouldBeOfType<TomlFloat>().Value.ShouldBe(value);

    [Theory]
    [InlineData("1979-05-27T07:32Z", "1979-05-27T07:32:00Z", TomlDateTimeKind.OffsetDateTime)]
    [InlineData("1979-05-27 07:32:01.25-00:30", "1979-05-27T07:32:01.25-00:30", TomlDateTimeKind.OffsetDateTime)]
    [InlineData("1979-05-27t23:59:60z", "1979-05-27T23:59:60Z", TomlDateTimeKind.OffsetDateTime)]
    [InlineData("1979-05-27T07:32:00.1234567899999", "1979-05-27T07:32:00.123456789", TomlDateTimeKind.LocalDateTime)]
    [InlineData("0000-02-29", "0000-02-29", TomlDateTimeKind.LocalDate)]
    [InlineData("2000-02-29", "2000-02-29", TomlDateTimeKind.LocalDate)]
    [InlineData("07:32", "07:32:00", TomlDateTimeKind.LocalTime)]
    [InlineData("07:32:10.500", "07:32:10.5", TomlDateTimeKind.LocalTime)]
    public void A_date_or_time_is_read_and_written_as_RFC_3339_does(string text, string written, TomlDateTimeKind kind)
    {
        var value = Only($"x = {text} # comment").ShouldBeOfType<TomlDateTime>();

        value.ToString().ShouldBe(written);
        value.Kind.ShouldBe(kind);
    }

    [Theory]
    [InlineData("x = [1, # one\n 2,\n]", 2)]
    [InlineData("x = [\r\n]", 0)]
    [InlineData("x = [[], {}, [1, 'a']]", 3)]
    public void An_array_may_span_lines_and_end_with_a_comma(string toml, int count) => Only(toml).ShouldBeOfType<TomlArray>().Count.ShouldBe(count);

    [Theory]
    [InlineData("x = { a = 1, # one\n b.c = 2,\n}", 2)]
    [InlineData("x = {\n}", 0)]
    [InlineData("x = {a=1,a1=2\r\n,\r\nb={}}", 3)]
    public void An_inline_table_may_span_lines_and_end_with_a_comma(string toml, int count) => Only(toml).ShouldBeOfType<TomlTable>().Count.ShouldBe(count);

    [Theory]
    [InlineData("x = 1979-05-27 7:32", 4, 19)]
    [InlineData("x = \"a", 6, 6)]
    [InlineData("x = \"a\nb\"", 6, 7)]
    [InlineData("x = 1 2", 6, 7)]
    [InlineData("[a", 2, 2)]
    [InlineData("[a]\n[ b ]\n[a]", 11, 12)]
    [InlineData("x = {a = 1, a = 2}", 12, 13)]
    [InlineData("x = \"\\uD83E\\uDD80\"", 5, 11)]
    [InlineData("# \u0001", 2, 3)]
    [InlineData("x = 1\r", 5, 6)]
    public void An_error_says_where_it_is(string toml, int start, int end)
    {
        TomlParser.TryParse(toml, out _, out var error).ShouldBeFalse();
        error!.Span.ShouldBe(new TomlSpan(start, end));
    }

    [Fact]
    public void Half_a_surrogate_pair_is_no_text()
    {
        foreach (var half in new[] { '\uD800', '\uDC00' })
        {
            TomlParser.TryParse($"x = \"\U0001F980{half}\"", out _, out var error).ShouldBeFalse();
            error!.Span.ShouldBe(new TomlSpan(7, 8));
        }
    }

    [Theory]
    [InlineData("x = 9223372036854775808", "the number is too large for an integer of 64 bits")]
    [InlineData("x = -9223372036854775809", "the number is too large for an integer of 64 bits")]
    [InlineData("x = 0x8000000000000000", "the number is too large for an integer of 64 bits")]
    [InlineData("x = 1e400", "the number is too large for a float of 64 bits")]
    [InlineData("x = 007", "expected a number without leading zeros")]
    [InlineData("x = 1__0", "expected digits with single underscores between them")]
    [InlineData("x = 1.", "expected digits after the decimal point, with single underscores between them")]
    [InlineData("x = 1e_1", "expected digits in the exponent, with single underscores between them")]
    [InlineData("x = 0b2", "expected digits of the base, with single underscores between them")]
    [InlineData("x = maybe", "expected a value: a string, number, boolean, date, array or inline table")]
    [InlineData("x = ", "expected a value, found the end of the file")]
    [InlineData("x =\n", "expected a value, found a line break")]
    [InlineData("x 1", "expected `=` after the key, found `1`")]
    [InlineData("= 1", "expected a key, found `=`")]
    [InlineData("a. = 1", "expected a key, found `=`")]
    [InlineData("é = 1", "expected a key, found `é`")]
    [InlineData("\"\"\"a\"\"\" = 1", "expected a key on one line, found a multi-line string")]
    [InlineData("[]", "expected a key, found `]`")]
    [InlineData("[a", "expected `]` after the name of the table, found the end of the file")]
    [InlineData("[[a] ]", "expected `]]` after the name of the array of tables, found a space")]
    [InlineData("[a] b", "expected a new line after the table header, found `b`")]
    [InlineData("x = 1 \u000b", "expected a new line after the value, found U+000B")]
    [InlineData(" \r", "expected a key, found a carriage return without a line feed")]
    [InlineData("x = 1 # \u007f", "expected a comment without control characters, found U+007F")]
    [InlineData("x = [1 2]", "expected `,` or `]` after the element of the array, found `2`")]
    [InlineData("x = {a = 1 b", "expected `,` or `}` after the value in the inline table, found `b`")]
    [InlineData("x = 'a\n'", "expected a character or the closing apostrophe of the string, found a line break")]
    [InlineData("x = \"\"\"a", "expected a character or the closing quote of the multi-line string, found the end of the file")]
    [InlineData("x = \"\"\"a\rb\"\"\"", "expected a character or the closing quote of the multi-line string, found a carriage return without a line feed")]
    [InlineData("x = \"\\a\"", "expected one of `b e f n r t \" \\ x u U` after the backslash, found `a`")]
    [InlineData("x = \"\\u12\"", "expected 4 hexadecimal digits in the escape, found `\"`")]
    [InlineData("x = \"\\uDC00\"", "expected a Unicode character, found U+DC00, which is none")]
    [InlineData("x = \"\\U00110000\"", "expected a Unicode character, found U+110000, which is none")]
    [InlineData("x = 2023-02-29", "expected a date that exists, as `1979-05-27`")]
    [InlineData("x = 2023-02-28x", "expected `T` or a space between date and time")]
    [InlineData("x = 2023-02-28T24:00", "expected a time that exists, as `07:32:00`")]
    [InlineData("x = 07:32:61", "expected a time that exists, as `07:32:00`")]
    [InlineData("x = 07:32:00.", "expected a time that exists, as `07:32:00`")]
    [InlineData("x = 07:32:00Z", "expected a local time to end after its seconds")]
    [InlineData("x = 2023-02-28T07:32+24:00", "expected `Z` or an offset that exists, as `+01:00`")]
    public void An_error_says_what_was_expected(string toml, string message)
    {
        TomlParser.TryParse(toml, out _, out var error).ShouldBeFalse();
        error!.Message.ShouldBe(message);
    }

    [Fact]
    public void Every_value_and_key_knows_where_it_stands()
    {
        const string Toml = "a.'b' = [1, {c = \"d\"}]\n[e.f]\n[[g]]\n";
        TomlParser.TryParse(Toml, out var root, out _).ShouldBeTrue();

        Written(Toml, root[0].KeySpan).ShouldBe("a");
        Written(Toml, root[0].Value.Span).ShouldBe("a");
        var b = ((TomlTable)root[0].Value)[0];
        Written(Toml, b.KeySpan).ShouldBe("'b'");
        Written(Toml, b.Value.Span).ShouldBe("[1, {c = \"d\"}]");
        var inner = (TomlArray)b.Value;
        Written(Toml, inner[0].Span).ShouldBe("1");
        Written(Toml, inner[1].Span).ShouldBe("{c = \"d\"}");
        Written(Toml, ((TomlTable)inner[1])[0].Value.Span).ShouldBe("\"d\"");
        Written(Toml, root[1].Value.Span).ShouldBe("e");
        Written(Toml, ((TomlTable)root[1].Value)[0].Value.Span).ShouldBe("[e.f]");
        Written(Toml, ((TomlArray)root[2].Value)[0].Span).ShouldBe("[[g]]");
    }

    private static string Written(string toml, TomlSpan span) => toml[span.Start..span.End];

    private static TomlValue Only(string toml)
    {
        TomlParser.TryParse(toml, out var root, out var error).ShouldBeTrue(error?.Render());
        return root!.ShouldHaveSingleItem().Value;
    }
}
