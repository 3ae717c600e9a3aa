using Pipeline.Registry.Cdn;
using Pipeline.Workers.Cdn;

namespace Pipeline.Workers.Tests.Cdn;

public sealed class PurgeBackoffTests
{
    [Theory]
    [InlineData(PurgeResult.Later, 1, null, 1)]
    [InlineData(PurgeResult.Later, 4, null, 8)]
    [InlineData(PurgeResult.Later, 1000, null, 600)]
    [InlineData(PurgeResult.Stale, 2, null, 2)]
    [InlineData(PurgeResult.Refused, 1, null, 30)]
    [InlineData(PurgeResult.Unfit, 6, null, 600)]
    [InlineData(PurgeResult.Later, 1, 30, 30)]
    [InlineData(PurgeResult.Later, 2, 30, 60)]
    [InlineData(PurgeResult.Later, 6, 30, 900)]
    public void The_wait_doubles_to_a_longest_one(PurgeResult result, long attempts, int? asked, double seconds)
    {
        var verdict = new PurgeVerdict(result, "", "", asked is { } said ? TimeSpan.FromSeconds(said) : null);

        PurgeBackoff.Next(attempts, verdict, asked is null ? 0.5 : 0).TotalSeconds.ShouldBe(seconds);
        PurgeBackoff.Next(attempts, verdict, 1).TotalSeconds.ShouldBe(seconds * 1.25);
        PurgeBackoff.Next(attempts, verdict, 0).TotalSeconds.ShouldBe(asked is null ? seconds * 0.75 : seconds, "never sooner than asked");
    }
}
