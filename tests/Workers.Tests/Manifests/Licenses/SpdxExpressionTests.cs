using FsCheck;
using FsCheck.Fluent;
using Pipeline.Workers.Manifests.Licenses;

namespace Pipeline.Workers.Tests.Manifests.Licenses;

public class SpdxExpressionTests
{
    private const string AfterLicense = "expected one of `AND`, `OR`, `WITH`, `)`, `+` here";
    private const string AfterReference = "expected one of `AND`, `OR`, `WITH`, `)` here";
    private const string AfterException = "expected one of `AND`, `OR`, `)` here";
    private const string AfterClose = "expected one of `AND`, `OR` here";
    private const string License = "expected one of `<license>`, `(` here";
    private const string Addition = "expected a `<addition>` here";
    private const string Unknown = "unknown term";
    private const string Invalid = "invalid character(s)";
    private const string SeparatedPlus = "`+` must not follow whitespace";
    private const string GnuPlus = "a GNU license was followed by a `+` even though it ended in `-only` or `-or-later`";

    [Theory]
    [InlineData("MIT")]
    [InlineData("0BSD")]
    [InlineData("Unlicense")]
    [InlineData("MIT/Apache-2.0")]
    [InlineData("MIT / Apache-2.0")]
    [InlineData("MIT OR Apache-2.0")]
    [InlineData("MIT or Apache-2.0")]
    [InlineData("MIT AND Apache-2.0")]
    [InlineData("MIT and Apache-2.0")]
    [InlineData("  MIT\tOR\nApache-2.0\r\n")]
    [InlineData("MIT\u00a0OR\u3000Apache-2.0\u2028")]
    [InlineData("(MIT)")]
    [InlineData("((MIT))")]
    [InlineData("(MIT)OR(Apache-2.0)")]
    [InlineData("( MIT OR Apache-2.0 ) AND Unicode-3.0")]
    [InlineData("MIT OR Apache-2.0 AND BSD-3-Clause OR ISC")]
    [InlineData("(MIT AND (BitTorrent-1.1+ OR BSD-3-Clause))")]
    [InlineData("((Apache-2.0 WITH LLVM-exception) OR Apache-2.0) AND OpenSSL OR MIT")]
    [InlineData("Apache-2.0 WITH LLVM-exception")]
    [InlineData("Apache-2.0 with LLVM-exception/MIT")]
    [InlineData("Apache-2.0+ WITH LLVM-exception")]
    [InlineData("Apache-2.0+")]
    [InlineData("MIT+")]
    [InlineData("MIT+/Apache-2.0+")]
    [InlineData("GPL-3.0")]
    [InlineData("GPL-3.0+")]
    [InlineData("GPL-2.0+ WITH Classpath-exception-2.0")]
    [InlineData("GPL-2.0-only WITH Classpath-exception-2.0")]
    [InlineData("GPL-3.0-only")]
    [InlineData("GPL-3.0-only+")]
    [InlineData("GPL-3.0-or-later")]
    [InlineData("LGPL-2.1+")]
    [InlineData("AGPL-1.0+")]
    [InlineData("GFDL-1.3-invariants")]
    [InlineData("GFDL-1.3-invariants+")]
    [InlineData("BSD-2-Clause-FreeBSD")]
    [InlineData("NOASSERTION")]
    [InlineData("LicenseRef-foo")]
    [InlineData("LicenseRef-")]
    [InlineData("LicenseRef-foo.1-2 OR MIT")]
    [InlineData("LicenseRef-foo WITH LLVM-exception")]
    [InlineData("DocumentRef-spdx-tool-1.2:LicenseRef-MIT-Style-2")]
    [InlineData("MPL-2.0 WITH AdditionRef-Example-exception")]
    [InlineData("MIT WITH DocumentRef-x:AdditionRef-y")]
    [InlineData("MPL-2.0 WITH Nokia-Qt-exception-1.1")]
    public void Expressions_that_crates_io_takes_are_taken(string expression) => SpdxExpression.Validate(expression).ShouldBeNull();

    [Theory]
    [InlineData("", 0, 0, "empty expression")]
    [InlineData(" ", 0, 1, "empty expression")]
    [InlineData("\n\t\n", 0, 3, "empty expression")]
    [InlineData("mit", 0, 3, Unknown)]
    [InlineData("apache-2.0", 0, 10, Unknown)]
    [InlineData("BSD", 0, 3, Unknown)]
    [InlineData("NONE", 0, 4, Unknown)]
    [InlineData("noassertion", 0, 11, Unknown)]
    [InlineData("MIT And ISC", 4, 7, Unknown)]
    [InlineData("MIT WITH foo", 9, 12, Unknown)]
    [InlineData("MIT AND foobar", 8, 14, Unknown)]
    [InlineData("MIT--", 0, 5, Unknown)]
    [InlineData("MIT:", 0, 4, Unknown)]
    [InlineData(":", 0, 1, Unknown)]
    [InlineData("DocumentRef-x", 0, 13, Unknown)]
    [InlineData("DocumentRef-x:MIT", 0, 17, Unknown)]
    [InlineData("LicenseRef", 0, 10, Unknown)]
    [InlineData("LicenseRef-a:b", 12, 14, Unknown)]
    [InlineData("DocumentRef-a:LicenseRef-b:c", 26, 28, Unknown)]
    [InlineData("LAL+-1.2", 0, 3, Unknown)]
    [InlineData("LAL-1.+2", 0, 6, Unknown)]
    [InlineData("MIT,Apache-2.0", 3, 14, Invalid)]
    [InlineData("MIT;Apache", 3, 10, Invalid)]
    [InlineData("MIT & ISC", 4, 9, Invalid)]
    [InlineData("LicenseRef-foo_bar", 14, 18, Invalid)]
    [InlineData("MIT OR [ISC]", 7, 12, Invalid)]
    [InlineData("\"MIT\"", 0, 5, Invalid)]
    [InlineData("MIT\\ISC", 3, 7, Invalid)]
    [InlineData("MÏT", 0, 1, Unknown)]
    [InlineData("MITÏT", 3, 6, Invalid)]
    [InlineData("MIT OR 你好", 7, 13, Invalid)]
    [InlineData("MIT\u00a0foo", 5, 8, Unknown)]
    [InlineData("\ufeffMIT", 0, 6, Invalid)]
    [InlineData("MIT OR", 6, 6, License)]
    [InlineData("MIT AND", 7, 7, License)]
    [InlineData("MIT OR ", 7, 7, License)]
    [InlineData("MIT/", 4, 4, License)]
    [InlineData("/MIT", 0, 1, License)]
    [InlineData("MIT//ISC", 4, 5, License)]
    [InlineData("MIT / OR ISC", 6, 8, License)]
    [InlineData("OR MIT", 0, 2, License)]
    [InlineData("AND", 0, 3, License)]
    [InlineData("MIT AND/OR Apache-2.0", 7, 8, License)]
    [InlineData("MIT OR AND ISC", 7, 10, License)]
    [InlineData("()", 1, 2, License)]
    [InlineData("(   )", 4, 5, License)]
    [InlineData("(", 1, 1, License)]
    [InlineData(")", 0, 1, License)]
    [InlineData("(MIT OR)", 7, 8, License)]
    [InlineData("(MIT OR", 7, 7, License)]
    [InlineData("LLVM-exception", 0, 14, License)]
    [InlineData("AdditionRef-x", 0, 13, License)]
    [InlineData("WITH LLVM-exception", 0, 4, License)]
    [InlineData("MIT AND LLVM-exception", 8, 22, License)]
    [InlineData("+MIT", 0, 1, License)]
    [InlineData("MIT AND+", 7, 8, License)]
    [InlineData("MIT MIT", 4, 7, AfterLicense)]
    [InlineData("MIT (ISC)", 4, 5, AfterLicense)]
    [InlineData("MIT LicenseRef-x", 4, 16, AfterLicense)]
    [InlineData("MIT LLVM-exception", 4, 18, AfterLicense)]
    [InlineData("MIT++", 4, 5, AfterReference)]
    [InlineData("MIT+ ISC", 5, 8, AfterReference)]
    [InlineData("LicenseRef-x+", 12, 13, AfterReference)]
    [InlineData("LicenseRef-x MIT", 13, 16, AfterReference)]
    [InlineData("Apache-2.0 WITH LLVM-exception+", 30, 31, AfterException)]
    [InlineData("MIT WITH AdditionRef-x+", 22, 23, AfterException)]
    [InlineData("MIT WITH LLVM-exception WITH LLVM-exception", 24, 28, AfterException)]
    [InlineData("(MIT) WITH LLVM-exception", 6, 10, AfterClose)]
    [InlineData("(MIT)+", 5, 6, AfterClose)]
    [InlineData("(MIT) ISC", 6, 9, AfterClose)]
    [InlineData("MIT WITH", 8, 8, Addition)]
    [InlineData("MIT WITH MIT", 9, 12, Addition)]
    [InlineData("MIT WITH WITH LLVM-exception", 9, 13, Addition)]
    [InlineData("MIT WITH LicenseRef-x", 9, 21, Addition)]
    [InlineData("(MIT WITH) LLVM-exception", 9, 10, Addition)]
    [InlineData("MIT +", 3, 4, SeparatedPlus)]
    [InlineData("MIT \t +", 3, 6, SeparatedPlus)]
    [InlineData(" +", 0, 1, SeparatedPlus)]
    [InlineData("MIT OR +", 6, 7, SeparatedPlus)]
    [InlineData("GPL-3.0-or-later+", 16, 17, GnuPlus)]
    [InlineData("MIT OR LGPL-2.1-or-later+", 24, 25, GnuPlus)]
    [InlineData("GPL-2.0-with-classpath-exception+", 32, 33, "unknown license id")]
    [InlineData("(MIT", 0, 1, "unclosed parens")]
    [InlineData("((MIT)", 0, 1, "unclosed parens")]
    [InlineData("(MIT OR (ISC", 8, 9, "unclosed parens")]
    [InlineData("MIT)", 3, 4, "unopened parens")]
    [InlineData("(MIT) OR ISC) AND MIT", 12, 13, "unopened parens")]
    public void The_first_trouble_is_named_with_its_place(string expression, int start, int end, string reason)
    {
        var error = SpdxExpression.Validate(expression).ShouldNotBeNull();

        (error.Start, error.End, error.Reason).ShouldBe((start, end, reason));
    }

    [Theory]
    [InlineData("MIT AND foobar", "MIT AND foobar\n        ^^^^^^ unknown term")]
    [InlineData("", "\n empty expression")]
    [InlineData("  ", "  \n^^ empty expression")]
    [InlineData("(MIT", "(MIT\n- unclosed parens")]
    [InlineData("MIT)", "MIT)\n   ^ unopened parens")]
    [InlineData("MIT +", "MIT +\n   ^ `+` must not follow whitespace")]
    [InlineData("MIT OR", "MIT OR\n       expected one of `<license>`, `(` here")]
    [InlineData("MIT é", "MIT é\n    ^^ invalid character(s)")]
    public void The_text_shows_the_expression_and_a_mark_below_the_trouble(string expression, string text) =>
        SpdxExpression.Validate(expression).ShouldNotBeNull().Text.ShouldBe(text);

    [Fact]
    public void An_expression_beyond_the_limit_is_refused_without_being_echoed()
    {
        var longest = "MIT" + string.Concat(Enumerable.Repeat(" OR MIT", (SpdxExpression.MaxBytes - 3) / 7));

        SpdxExpression.Validate(longest).ShouldBeNull();
        SpdxExpression.Validate(longest + " OR MIT").ShouldNotBeNull().Text
            .ShouldBe("expression of 4098 bytes is too long (max 4096 bytes)");
    }

    [Fact]
    public void The_deepest_nesting_that_fits_is_read() =>
        SpdxExpression.Validate(new string('(', 2046) + "MIT" + new string(')', 2046)).ShouldBeNull();

    [Fact]
    public void Any_mix_of_tokens_gets_an_answer_whose_place_lies_in_the_text()
    {
        var piece = Gen.Elements(
            "MIT", "GPL-2.0", "LicenseRef-x", "DocumentRef-", ":", "AdditionRef-y", "LLVM-exception",
            " ", "+", "/", "(", ")", "AND", "or", "WITH", "é", "_", "\u3000");
        var text = piece.ListOf().Select(string.Concat).ToArbitrary();

        Prop.ForAll(text, expression =>
        {
            var error = SpdxExpression.Validate(expression);
            return error is null
                || (error.Start <= error.End && error.End <= System.Text.Encoding.UTF8.GetByteCount(expression)
                    && error.Text.StartsWith(Contracts.Quoted.Value(expression) + "\n", StringComparison.Ordinal));
        }).QuickCheckThrowOnFailure();
    }
}
