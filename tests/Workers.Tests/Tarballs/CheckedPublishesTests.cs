using Pipeline.Registry.Truth;
using Pipeline.Workers.Tarballs;

namespace Pipeline.Workers.Tests.Tarballs;

public sealed class CheckedPublishesTests
{
    [Fact]
    public void A_row_is_taken_once()
    {
        var checks = new CheckedPublishes();
        checks.Add(Row("a", 10));

        checks.Take("a")!.Id.ShouldBe("a");
        checks.Take("a").ShouldBeNull();
        checks.Take("b").ShouldBeNull();
    }

    [Fact]
    public void The_oldest_rows_that_nobody_takes_make_room()
    {
        var checks = new CheckedPublishes();
        for (var i = 0; i < 100; i++) checks.Add(Row($"{i}", 256 * 1024));

        checks.Take("0").ShouldBeNull();
        checks.Take("80").ShouldBeNull();
        checks.Take("99").ShouldNotBeNull();
        Enumerable.Range(0, 100).Count(i => checks.Take($"{i}") is not null).ShouldBeLessThan(16, "4 MiB hold fewer rows of 256 KiB");
    }

    [Fact]
    public void Rows_that_are_taken_at_once_never_fill_it()
    {
        var checks = new CheckedPublishes();
        for (var i = 0; i < 1000; i++)
        {
            checks.Add(Row($"{i}", 256 * 1024));
            checks.Take($"{i}").ShouldNotBeNull();
        }
    }

    [Fact]
    public void A_row_that_nobody_takes_goes_in_its_turn_however_few_stay()
    {
        var checks = new CheckedPublishes();
        checks.Add(Row("left", 10));
        for (var i = 0; i < 2000; i++)
        {
            checks.Add(Row($"{i}", 10));
            checks.Take($"{i}").ShouldNotBeNull();
        }

        checks.Take("left").ShouldBeNull();
    }

    private static PublishRow Row(string id, int bytes) =>
        new(id, "foo", "1.0.0", "", bytes, 1, "owner", null, "{}", "", PublishStates.Checked, "{}", null, null, 0, null) { Body = new byte[bytes] };
}
