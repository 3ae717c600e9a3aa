using Pipeline.Contracts.Upkeep;
using Pipeline.Workers.Reconciliation;

namespace Pipeline.Workers.Tests.Reconciliation;

public sealed class ObjectRulesTests
{
    [Theory]
    [InlineData(5, 5L, true, false, "")]
    [InlineData(5, null, true, false, "BytesMissing")]
    [InlineData(5, 4L, true, false, "ChecksumDiffers")]
    [InlineData(5, 5L, true, true, "ChecksumDiffers")]
    [InlineData(5, 5L, false, false, "RecordMissing")]
    [InlineData(5, null, false, false, "BytesMissing RecordMissing")]
    public void What_is_wrong_with_a_version(long size, long? found, bool hasRecord, bool hashDiffers, string kinds) =>
        string.Join(' ', ObjectRules.Of(new SeenVersion(size, found, hasRecord, hashDiffers))).ShouldBe(kinds);

    [Theory]
    [InlineData(false, false, false, false, 25, true)]
    [InlineData(false, false, false, false, 24, true)]
    [InlineData(false, false, false, false, 23.9, false)]
    [InlineData(true, false, false, false, 25, false)]
    [InlineData(false, true, false, false, 25, false)]
    [InlineData(false, false, true, false, 25, false)]
    [InlineData(false, false, false, true, 25, false)]
    public void Bytes_are_orphaned_only_when_nobody_can_name_them_any_more(bool named, bool going, bool reserved, bool lost, double hours, bool orphaned) =>
        ObjectRules.Of(new SeenBytes(named, going, reserved, lost, TimeSpan.FromHours(hours))).ShouldBe(orphaned ? DifferenceKind.BytesOrphaned : null);

    [Theory]
    [InlineData(false, 3, true)]
    [InlineData(false, 1, false)]
    [InlineData(true, 30, false)]
    public void An_upload_is_forgotten_when_no_publish_waits_for_it_for_long(bool waiting, double hours, bool forgotten) =>
        ObjectRules.Of(new SeenStaged(waiting, TimeSpan.FromHours(hours))).ShouldBe(forgotten ? DifferenceKind.StagedAndForgotten : null);

    [Theory]
    [InlineData(true, true, true, true)]
    [InlineData(false, true, true, false)]
    [InlineData(false, false, true, true)]
    [InlineData(false, true, false, true)]
    public void A_line_is_never_dropped_whose_bytes_and_record_exist_while_the_database_knows_nothing_of_it(bool known, bool bytes, bool record, bool may) =>
        ObjectRules.MayDropLine(known, bytes, record).ShouldBe(may);
}
