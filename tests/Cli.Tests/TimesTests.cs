using Pipeline.Cli.Output;

namespace Pipeline.Cli.Tests;

public class TimesTests
{
    private static readonly DateTime Now = new(2026, 11, 21, 12, 0, 0, DateTimeKind.Utc);

    [Theory]
    [InlineData("2026-12-31", true, "2026-12-31T00:00:00.0000000Z")]
    [InlineData("2026-12-31T18:00:00Z", true, "2026-12-31T18:00:00.0000000Z")]
    [InlineData("2026-12-31T18:00:00.25+02:00", true, "2026-12-31T16:00:00.2500000Z")]
    [InlineData("2026-12-31T18:00", true, "2026-12-31T18:00:00.0000000Z")]
    [InlineData("90d", true, "2027-02-19T12:00:00.0000000Z")]
    [InlineData("2h", false, "2026-11-21T10:00:00.0000000Z")]
    [InlineData("30m", false, "2026-11-21T11:30:00.0000000Z")]
    public void Dates_times_and_spans_are_read(string text, bool ahead, string time)
    {
        Times.TryParse(text, Now, ahead, out var parsed).ShouldBeTrue();
        parsed.ToString("O").ShouldBe(time);
    }

    [Theory]
    [InlineData("")]
    [InlineData("d")]
    [InlineData("-1d")]
    [InlineData("1w")]
    [InlineData("99999999d")]
    [InlineData("31.12.2026")]
    [InlineData("2026-13-01")]
    public void Anything_else_is_refused(string text) => Times.TryParse(text, Now, true, out _).ShouldBeFalse();

    [Theory]
    [InlineData(0.0012, "1.2 ms")]
    [InlineData(0.25, "250 ms")]
    [InlineData(2.5, "2.5 s")]
    [InlineData(125, "2 min 5 s")]
    [InlineData(7500, "2 h 5 min")]
    [InlineData(180000, "2 d 2 h")]
    public void Spans_are_shown_as_people_say_them(double seconds, string text) => Times.Show(TimeSpan.FromSeconds(seconds)).ShouldBe(text);
}
