using System.Text;
using Pipeline.Contracts.Upkeep;
using Pipeline.Workers.Reconciliation;

namespace Pipeline.Workers.Tests.Reconciliation;

public sealed class IndexComparisonTests
{
    private const string One = """{"name":"a","vers":"1.0.0","deps":[],"cksum":"11","features":{},"yanked":false}""" + "\n";
    private const string Two = """{"name":"a","vers":"2.0.0","deps":[],"cksum":"22","features":{},"yanked":false}""" + "\n";

    public static TheoryData<string?, string?, string> Cases => new()
    {
        { null, null, "" },
        { One, One, "" },
        { One, null, "MissingInIndex " },
        { null, One, "ExtraInIndex " },
        { One + Two, One, "MissingInIndex 2.0.0" },
        { One, One + Two, "ExtraInIndex 2.0.0" },
        { One, One.Replace("false", "true", StringComparison.Ordinal), "YankDiffers 1.0.0" },
        { One.Replace("false", "true", StringComparison.Ordinal), One, "YankDiffers 1.0.0" },
        { One, One.Replace("11", "33", StringComparison.Ordinal), "ChecksumDiffers 1.0.0" },
        { One, One.Replace("\"11\"", "null", StringComparison.Ordinal), "ChecksumDiffers 1.0.0" },
        { One, One.Replace("[]", "[{}]", StringComparison.Ordinal), "LineDiffers 1.0.0" },
        { One + Two, Two + One, "LineDiffers " },
        { One, One.TrimEnd(), "LineDiffers " },
        { One, One + One, "LineDiffers 1.0.0" },
        { One, "[]\n" + One, "LineDiffers " },
        { One, "not json\n", "LineDiffers , MissingInIndex 1.0.0" },
        { One + Two, Two.Replace("false", "true", StringComparison.Ordinal), "YankDiffers 2.0.0, MissingInIndex 1.0.0" },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void Each_difference_of_a_file_has_its_kind_and_version(string? truth, string? found, string differences) =>
        string.Join(", ", IndexComparison.Compare(Bytes(truth), Bytes(found)).Select(one => $"{one.Kind} {one.Num}")).ShouldBe(differences);

    [Fact]
    public void A_file_of_nothing_but_rubbish_gives_a_bounded_list() =>
        IndexComparison.Compare(Bytes(One), Bytes(string.Concat(Enumerable.Repeat("{\n", 10_000)))).Count.ShouldBe(100);

    [Fact]
    public void The_text_of_a_kind_is_its_name_in_kebab_case() =>
        Enum.GetValues<DifferenceKind>().Select(Registry.Truth.ReconcileRuns.Text).ShouldBe([
            "missing-in-index", "extra-in-index", "yank-differs", "checksum-differs", "line-differs", "bytes-missing", "bytes-orphaned", "record-missing",
            "version-missing", "staged-and-forgotten", "config-differs", "cdn-stale",
        ]);

    private static byte[]? Bytes(string? text) => text is null ? null : Encoding.UTF8.GetBytes(text);
}
