using System.Text;
using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using Pipeline.Api.Publishing;
using Pipeline.Contracts;

namespace Pipeline.Api.Tests.Publishing;

public class PublishMetadataTests
{
    [Fact]
    public void The_four_fields_are_read_and_all_else_is_ignored_whatever_its_type()
    {
        var metadata = Parse("""
            {"features": 7, "name": "foo", "authors": {"a": [null, {"b": "\ud800"}]}, "vers": "1.0.0-é+1",
             "readme": "# Foo\n\u00e9\ud83e\udd80", "license": [[[[]]]], "readme_file": null, "badges": -0.0e-0, "links": true}
            """);

        metadata.ShouldBe(new PublishMetadata("foo", "1.0.0-é+1", "# Foo\né🦀", null, metadata.Dependencies));
        metadata.Dependencies.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("""{"name":"a","vers":"b"}""", null, null)]
    [InlineData("""{"name":"a","vers":"b","readme":null,"readme_file":null}""", null, null)]
    [InlineData("""{"name":"a","vers":"b","readme":"","readme_file":"R.md"}""", "", "R.md")]
    [InlineData("""["a","b",null,"R.md"]""", null, "R.md")]
    [InlineData("\r\n {\"n\\u0061me\"\t: \"a\", \"vers\": \"b\" } \n", null, null)]
    public void The_readme_fields_may_be_missing_or_null(string json, string? readme, string? readmeFile)
    {
        var metadata = Parse(json);

        (metadata.Name, metadata.Vers, metadata.Readme, metadata.ReadmeFile).ShouldBe(("a", "b", readme, readmeFile));
    }

    // What serde_json answers to the same bytes.
    [Theory]
    [InlineData("", "EOF while parsing a value at line 1 column 0")]
    [InlineData("  \n ", "EOF while parsing a value at line 2 column 1")]
    [InlineData("{}", "missing field `name` at line 1 column 2")]
    [InlineData("{\"name\":\"a\"}", "missing field `vers` at line 1 column 12")]
    [InlineData("{\"vers\":\"1\"}", "missing field `name` at line 1 column 12")]
    [InlineData("{\n  \"vers\": \"1\"\n}", "missing field `name` at line 3 column 1")]
    [InlineData("{\"name\":1,\"vers\":\"1.0.0\"}", "invalid type: integer `1`, expected a string at line 1 column 9")]
    [InlineData("{\"name\":-1}", "invalid type: integer `-1`, expected a string at line 1 column 10")]
    [InlineData("{\"name\":0}", "invalid type: integer `0`, expected a string at line 1 column 9")]
    [InlineData("{\"name\":-0}", "invalid type: floating point `-0.0`, expected a string at line 1 column 10")]
    [InlineData("{\"name\":1.5}", "invalid type: floating point `1.5`, expected a string at line 1 column 11")]
    [InlineData("{\"name\":1.0}", "invalid type: floating point `1.0`, expected a string at line 1 column 11")]
    [InlineData("{\"name\":1e2}", "invalid type: floating point `100.0`, expected a string at line 1 column 11")]
    [InlineData("{\"name\":1E-7}", "invalid type: floating point `0.0000001`, expected a string at line 1 column 12")]
    [InlineData("{\"name\":18446744073709551615}", "invalid type: integer `18446744073709551615`, expected a string at line 1 column 28")]
    [InlineData("{\"name\":18446744073709551616}", "invalid type: floating point `18446744073709552000.0`, expected a string at line 1 column 28")]
    [InlineData("{\"name\":-9223372036854775808}", "invalid type: integer `-9223372036854775808`, expected a string at line 1 column 28")]
    [InlineData("{\"name\":-9223372036854775809}", "invalid type: floating point `-9223372036854776000.0`, expected a string at line 1 column 28")]
    [InlineData("{\"name\":1e309}", "number out of range at line 1 column 13")]
    [InlineData("{\"name\":1e-400}", "invalid type: floating point `0.0`, expected a string at line 1 column 14")]
    [InlineData("{\"name\":01}", "invalid number at line 1 column 10")]
    [InlineData("{\"name\":-}", "invalid number at line 1 column 10")]
    [InlineData("{\"name\":1.}", "invalid number at line 1 column 11")]
    [InlineData("{\"name\":1.", "EOF while parsing a value at line 1 column 10")]
    [InlineData("{\"name\":1e}", "invalid number at line 1 column 11")]
    [InlineData("{\"name\":1e", "EOF while parsing a value at line 1 column 10")]
    [InlineData("{\"name\":null}", "invalid type: null, expected a string at line 1 column 12")]
    [InlineData("{\"name\":true}", "invalid type: boolean `true`, expected a string at line 1 column 12")]
    [InlineData("{\"name\":false}", "invalid type: boolean `false`, expected a string at line 1 column 13")]
    [InlineData("{\"name\":[]}", "invalid type: sequence, expected a string at line 1 column 8")]
    [InlineData("{\"name\":{}}", "invalid type: map, expected a string at line 1 column 8")]
    [InlineData("{\"name\":nul}", "expected ident at line 1 column 12")]
    [InlineData("{\"name\":tru", "EOF while parsing a value at line 1 column 11")]
    [InlineData("{\"name\":x}", "expected value at line 1 column 9")]
    [InlineData("{\"name\":}", "expected value at line 1 column 9")]
    [InlineData("{\"name\":", "EOF while parsing a value at line 1 column 8")]
    [InlineData("{\"name\":\"a\",\"vers\":\"1\",\"readme\":1}", "invalid type: integer `1`, expected a string at line 1 column 33")]
    [InlineData("{\"name\":\"a\",\"vers\":\"1\",\"readme\":[1]}", "invalid type: sequence, expected a string at line 1 column 32")]
    [InlineData("{\"name\":\"a\",\"vers\":\"1\",\"readme_file\":false}", "invalid type: boolean `false`, expected a string at line 1 column 42")]
    [InlineData("{\"name\":\"a\",\"vers\":\"1\"} x", "trailing characters at line 1 column 25")]
    [InlineData("{\"name\":\"a\",\"vers\":\"1\"}{", "trailing characters at line 1 column 24")]
    [InlineData("{\"name\":\"a\",\"vers\":\"1\",}", "trailing comma at line 1 column 24")]
    [InlineData("{\"name\":\"a\",\"vers\":\"1\",", "EOF while parsing a value at line 1 column 23")]
    [InlineData("{\"name\":\"a\",\"vers\":\"1\"", "EOF while parsing an object at line 1 column 22")]
    [InlineData("{\"name\":\"a\",\"vers\":\"1\" \"x\":1}", "expected `,` or `}` at line 1 column 24")]
    [InlineData("{\"name\":\"a\",\"vers\":\"1\",1:2}", "key must be a string at line 1 column 24")]
    [InlineData("{\"name\":\"a\",\"vers\":\"1\",\"x\"}", "expected `:` at line 1 column 27")]
    [InlineData("{\"name\":\"a\",\"vers\":\"1\",\"x\" 1}", "expected `:` at line 1 column 28")]
    [InlineData("{\"name\":\"a\",\"vers\":\"1\",\"x\":}", "expected value at line 1 column 28")]
    [InlineData("{\"name\":\"a\",\"vers\":\"1\",\"x\":1 2}", "expected `,` or `}` at line 1 column 30")]
    [InlineData("{\"name\":\"a\",\"name\":\"b\"}", "duplicate field `name` at line 1 column 18")]
    [InlineData("{\"name\":\"a\",\"vers\":\"1\",\"vers\":\"2\"}", "duplicate field `vers` at line 1 column 29")]
    [InlineData("{\"name\":\"a\",\"vers\":\"1\",\"readme\":null,\"readme\":null}", "duplicate field `readme` at line 1 column 45")]
    [InlineData("{\"name\":\"a\"\n,\"na\\u006de\"   }", "duplicate field `name` at line 2 column 16")]
    [InlineData("{\"readme_file\":\"a\",\"readme_file\":\"b\"}", "duplicate field `readme_file` at line 1 column 32")]
    [InlineData("[]", "invalid length 0, expected struct PublishMetadata with 4 elements at line 1 column 2")]
    [InlineData("[\"a\"]", "invalid length 1, expected struct PublishMetadata with 4 elements at line 1 column 5")]
    [InlineData("[\"a\",\"1\",null]", "invalid length 3, expected struct PublishMetadata with 4 elements at line 1 column 14")]
    [InlineData("[\"a\",\"1\",null,null,1]", "trailing characters at line 1 column 20")]
    [InlineData("[\"a\",\"1\",null,null,]", "trailing comma at line 1 column 20")]
    [InlineData("[\"a\",]", "trailing comma at line 1 column 6")]
    [InlineData("[\"a\" \"b\"]", "expected `,` or `]` at line 1 column 6")]
    [InlineData("[\"a\",\"1\",null,null", "EOF while parsing a list at line 1 column 18")]
    [InlineData("[1]", "invalid type: integer `1`, expected a string at line 1 column 2")]
    [InlineData("[", "EOF while parsing a list at line 1 column 1")]
    [InlineData("null", "invalid type: null, expected struct PublishMetadata at line 1 column 4")]
    [InlineData("true", "invalid type: boolean `true`, expected struct PublishMetadata at line 1 column 4")]
    [InlineData("1", "invalid type: integer `1`, expected struct PublishMetadata at line 1 column 1")]
    [InlineData("\"text\"", "invalid type: string \"text\", expected struct PublishMetadata at line 1 column 6")]
    [InlineData("\"a\\t\\\"\\\\b\\u0000\\u00e9\"", "invalid type: string \"a\\t\\\"\\\\b\\0é\", expected struct PublishMetadata at line 1 column 22")]
    [InlineData("x", "expected value at line 1 column 1")]
    [InlineData("{", "EOF while parsing an object at line 1 column 1")]
    [InlineData("}", "expected value at line 1 column 1")]
    [InlineData(",", "expected value at line 1 column 1")]
    [InlineData("{\"name", "EOF while parsing a string at line 1 column 6")]
    [InlineData("{\"name\"", "EOF while parsing an object at line 1 column 7")]
    [InlineData("{\"name\":\"a", "EOF while parsing a string at line 1 column 10")]
    [InlineData("{\"name\":\"a\\", "EOF while parsing a string at line 1 column 11")]
    [InlineData("{\"name\":\"a\\x\"}", "invalid escape at line 1 column 12")]
    [InlineData("{\"name\":\"\\u12\"}", "invalid escape at line 1 column 15")]
    [InlineData("{\"name\":\"\\u12", "EOF while parsing a string at line 1 column 13")]
    [InlineData("{\"name\":\"\\u00zz\"}", "invalid escape at line 1 column 15")]
    [InlineData("{\"name\":\"\\ud83d\"}", "unexpected end of hex escape at line 1 column 16")]
    [InlineData("{\"name\":\"\\ud83dx\"}", "unexpected end of hex escape at line 1 column 16")]
    [InlineData("{\"name\":\"\\ud83d\\n\"}", "unexpected end of hex escape at line 1 column 17")]
    [InlineData("{\"name\":\"\\ud83d\\u0041\"}", "lone leading surrogate in hex escape at line 1 column 21")]
    [InlineData("{\"name\":\"\\ude00\"}", "lone leading surrogate in hex escape at line 1 column 15")]
    [InlineData("{\"name\":\"a\tb\"}", "control character (\\u0000-\\u001F) found while parsing a string at line 1 column 11")]
    [InlineData("{\"name\":\"a\nb\"}", "control character (\\u0000-\\u001F) found while parsing a string at line 2 column 0")]
    [InlineData("{\"x\":\"a\nb\"}", "control character (\\u0000-\\u001F) found while parsing a string at line 1 column 7")]
    [InlineData("{\"x\ny\":1}", "control character (\\u0000-\\u001F) found while parsing a string at line 2 column 0")]
    [InlineData("{\"x\":[1,2}", "expected `,` or `]` at line 1 column 10")]
    [InlineData("{\"x\":{\"y\":1]}", "expected `,` or `}` at line 1 column 12")]
    [InlineData("{\"x\":[1 2]}", "expected `,` or `]` at line 1 column 9")]
    [InlineData("{\"x\":{\"y\" 1}}", "expected `:` at line 1 column 11")]
    [InlineData("{\"x\":{1:1}}", "key must be a string at line 1 column 7")]
    [InlineData("{\"x\":[", "EOF while parsing a list at line 1 column 6")]
    [InlineData("{\"x\":{", "EOF while parsing an object at line 1 column 6")]
    [InlineData("{\"x\":{\"y\"", "EOF while parsing an object at line 1 column 9")]
    [InlineData("{\"x\":{\"y\":", "EOF while parsing a value at line 1 column 10")]
    [InlineData("{\"x\":[1,", "EOF while parsing a value at line 1 column 8")]
    [InlineData("{\"x\":[1", "EOF while parsing a list at line 1 column 7")]
    [InlineData("{\"x\":[,]}", "expected value at line 1 column 7")]
    [InlineData("{\"x\":[1,]}", "expected value at line 1 column 9")]
    [InlineData("{\"x\":{\"y\":1,}}", "key must be a string at line 1 column 13")]
    [InlineData("{\"x\":.5}", "expected value at line 1 column 6")]
    [InlineData("{\"x\":1.}", "invalid number at line 1 column 8")]
    [InlineData("{\"x\":+1}", "expected value at line 1 column 6")]
    [InlineData("{\"x\":\"\\q\"}", "invalid escape at line 1 column 8")]
    [InlineData("{\"x\":\"\\u00g0\"}", "invalid escape at line 1 column 12")]
    [InlineData("{\"x\":tru}", "expected ident at line 1 column 9")]
    [InlineData("{\"x\":00}", "invalid number at line 1 column 7")]
    [InlineData("{\"x\":1e+}", "invalid number at line 1 column 9")]
    [InlineData("{'name':1}", "key must be a string at line 1 column 2")]
    [InlineData("{name:1}", "key must be a string at line 1 column 2")]
    [InlineData("\ufeff{}", "expected value at line 1 column 1")]
    [InlineData("{\"näme\":\"ä\",\"name\":1}", "invalid type: integer `1`, expected a string at line 1 column 22")]
    [InlineData("{\"name\":1e25}", "invalid type: floating point `10000000000000000000000000.0`, expected a string at line 1 column 12")]
    public void What_is_not_a_publish_is_refused_in_serde_jsons_words(string json, string error) => Refusal(Encoding.UTF8.GetBytes(json)).ShouldBe(error);

    [Theory]
    [InlineData(new byte[] { 0x22, 0xff, 0x22 }, "invalid unicode code point at line 1 column 11")]
    [InlineData(new byte[] { 0x22, 0xed, 0xa0, 0x80, 0x22 }, "invalid unicode code point at line 1 column 13")]
    [InlineData(new byte[] { 0x22, 0x5c, 0x6e, 0xc3, 0x22 }, "invalid unicode code point at line 1 column 13")]
    public void Bytes_that_are_no_UTF8_are_refused_in_a_field(byte[] value, string error) =>
        Refusal([.. "{\"name\":"u8, .. value, .. "}"u8]).ShouldBe(error);

    [Fact]
    public void Bytes_that_are_no_UTF8_are_not_looked_at_in_an_ignored_value() =>
        PublishMetadata.TryParse([.. "{\"x\":\""u8, 0xff, .. "\",\"name\":\"a\",\"vers\":\"1\"}"u8], out _, out _).ShouldBeTrue();

    [Fact]
    public void An_ignored_value_of_any_depth_is_passed_over()
    {
        const int depth = 300_000;
        var deep = new string('[', depth) + new string(']', depth);

        Parse($$"""{"x":{{deep}},"name":"a","vers":"1"}""").Name.ShouldBe("a");
        Refusal(Encoding.UTF8.GetBytes("{\"x\":" + new string('[', depth))).ShouldBe("EOF while parsing a list at line 1 column 300005");
    }

    [Fact]
    public void Dependencies_are_listed_with_their_registry()
    {
        var metadata = Parse("""
            {"name":"a","vers":"1","deps":[
              {"optional":false,"default_features":true,"name":"serde","features":["derive"],"version_req":"^1","target":null,"kind":"normal",
               "registry":"https://github.com/rust-lang/crates.io-index"},
              {"name":"real","explicit_name_in_toml":"alias","version_req":">=1, <3","target":"cfg(unix)","kind":"dev"},
              {"name":"cc","kind":"build","registry":null},
              {"name":"old","kind":null}
            ]}
            """);

        metadata.Dependencies.ShouldBe(
        [
            new("serde", null, DependencyKind.Normal, null, "^1", "https://github.com/rust-lang/crates.io-index"),
            new("real", "alias", DependencyKind.Dev, "cfg(unix)", ">=1, <3", null),
            new("cc", null, DependencyKind.Build, null, null, null),
            new("old", null, DependencyKind.Normal, null, null, null),
        ]);
    }

    [Theory]
    [InlineData("5")]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("\"b\"")]
    [InlineData("[]")]
    [InlineData("[1,null,[],\"b\",{}]")]
    [InlineData("[{\"name\":1}]")]
    [InlineData("[{\"name\":null}]")]
    [InlineData("[{\"name\":\"b\",\"kind\":\"other\"}]")]
    [InlineData("[{\"name\":\"b\",\"kind\":[]}]")]
    [InlineData("[{\"name\":\"b\",\"registry\":{}}]")]
    [InlineData("[{\"name\":\"b\",\"target\":\"\\ud800\"}]")]
    [InlineData("[{\"\\udc00\":[{\"]\":\"}\"}],\"name\":\"b\"}]")]
    public void Dependencies_of_another_shape_count_as_not_listed(string deps)
    {
        Parse($$"""{"name":"a","vers":"1","deps":{{deps}}}""").Dependencies.ShouldBeEmpty();

        var between = deps.StartsWith("[{", StringComparison.Ordinal) ? deps[1..^1] : deps;
        Parse($$"""{"name":"a","vers":"1","deps":[{"name":"x"}, {{between}} ,{"name":"y"}]}""")
            .Dependencies.Select(dependency => dependency.Name).ShouldBe(["x", "y"]);
    }

    [Fact]
    public void No_more_dependencies_are_kept_than_a_manifest_can_have()
    {
        var deps = string.Join(',', Enumerable.Repeat("{\"name\":\"x\"}", 5000));

        Parse($$"""{"name":"a","vers":"1","deps":[{{deps}}]}""").Dependencies.Count.ShouldBe(1000);
    }

    [Fact]
    public void A_long_top_level_string_is_not_echoed_whole() =>
        Refusal(Encoding.UTF8.GetBytes($"\"{new string('x', 500_000)}\"")).Length.ShouldBeLessThan(1200);

    [Fact]
    public void Every_wire_case_of_the_conformance_file_gets_its_error()
    {
        var refused = 0;
        foreach (var line in File.ReadLines(Shared("conformance/publish-cases.jsonl")))
        {
            var root = JsonDocument.Parse(line).RootElement;
            var json = root.TryGetProperty("json_text", out var text) ? text.GetString()! : root.GetProperty("metadata").GetRawText();
            var expected = root.GetProperty("expect_error").GetString();
            const string prefix = "invalid upload request: ";
            if (expected?.StartsWith(prefix, StringComparison.Ordinal) != true)
            {
                Parse(json);
                continue;
            }

            refused++;
            Refusal(Encoding.UTF8.GetBytes(json)).ShouldBe(expected[prefix.Length..], json);
        }

        refused.ShouldBeGreaterThan(2);
    }

    [Fact]
    public void Any_bytes_get_an_answer()
    {
        var pieces = Gen.Elements<byte[]>(
            [.. "{"u8], [.. "}"u8], [.. "["u8], [.. "]"u8], [.. ","u8], [.. ":"u8], [.. "\"name\""u8], [.. "\"deps\":"u8], [.. "\"vers\":"u8],
            [.. "\""u8], [.. "\\"u8], [.. "\\u"u8], [.. "d83d"u8], [.. "1e"u8], [.. "-"u8], [.. "."u8], [.. "null"u8], [.. " "u8], [0], [0xff], [0xc3]);
        var bytes = pieces.ListOf().Select(list => list.SelectMany(piece => piece).ToArray()).ToArbitrary();

        Prop.ForAll(bytes, json => PublishMetadata.TryParse(json, out _, out var error) == (error is null))
            .Check(Config.QuickThrowOnFailure.WithMaxTest(5000));
    }

    private static PublishMetadata Parse(string json)
    {
        PublishMetadata.TryParse(Encoding.UTF8.GetBytes(json), out var metadata, out var error).ShouldBeTrue(error);
        return metadata!;
    }

    private static string Refusal(byte[] json)
    {
        PublishMetadata.TryParse(json, out _, out var error).ShouldBeFalse();
        return error!;
    }

    private static string Shared(string path)
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Pipeline.sln")))
                return Path.Combine(folder.FullName, "..", "shared", path);
        }

        throw new DirectoryNotFoundException($"no folder with Pipeline.sln above {AppContext.BaseDirectory}");
    }
}
