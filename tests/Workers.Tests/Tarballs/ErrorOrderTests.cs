using Pipeline.Contracts;
using Pipeline.Workers.Tarballs;

namespace Pipeline.Workers.Tests.Tarballs;

public class ErrorOrderTests
{
    private static readonly Reject Archive = new(RejectCodes.InvalidArchive, 400, "archive");
    private static readonly Reject Manifest = new(RejectCodes.InvalidManifest, 400, "manifest");

    private static TarballFacts Facts(int problemAt, params int[] manifests) => new()
    {
        Checksum = "",
        Size = 0,
        EntryCount = 0,
        UnpackedSize = 0,
        Problem = problemAt > 0 ? Archive : null,
        ProblemAt = problemAt,
        Manifests = [.. manifests.Select(entry => new ManifestFile("Cargo.toml", entry, ""))],
    };

    [Theory]
    [InlineData(0, 0, null)]
    [InlineData(3, 0, "archive")]
    [InlineData(0, 2, "manifest")]
    [InlineData(3, 2, "manifest")]
    [InlineData(3, 3, "archive")]
    [InlineData(TarballFacts.AfterLastEntry, 7, "manifest")]
    [InlineData(TarballFacts.AfterLastEntry, 0, "archive")]
    public void The_earlier_problem_in_archive_order_is_reported(int archiveAt, int manifestAt, string? reported)
    {
        var first = ErrorOrder.FirstOf(Facts(archiveAt, manifestAt), manifestAt, manifestAt > 0 ? Manifest : null);

        (first?.Text).ShouldBe(reported);
    }

    [Fact]
    public void Only_a_problem_before_the_first_manifest_is_settled_at_once()
    {
        ErrorOrder.SettledBy(Facts(1)).ShouldBe(Archive);
        ErrorOrder.SettledBy(Facts(2, 1)).ShouldBeNull();
        ErrorOrder.SettledBy(Facts(0, 1)).ShouldBeNull();
    }
}
