using Pipeline.Workers.Manifests;
using Pipeline.Workers.Records;
using Pipeline.Workers.Recovery;

namespace Pipeline.Workers.Tests.Recovery;

/// <summary>The rules over evidence of one crate, <c>foo</c>: what counts, what it is, and what an operator is told.</summary>
public sealed class RecoveryRulesTests
{
    private static readonly HashSet<string> NobodyRejected = [];

    /// <summary>A case: its name, the evidence, and what is decided in words.</summary>
    public static readonly TheoryData<string, string> Cases = new()
    {
        { "nothing at all", "" },
        { "a record whose line stands", "new 1.0.0" },
        { "a record whose line stands yanked", "new 1.0.0 yanked" },
        { "a record whose bytes stand", "new 1.0.0" },
        { "a record of other bytes than stand", "unfinished 1.0.0" },
        { "a record without anything", "unfinished 1.0.0" },
        { "a record whose publish the database rejected", "" },
        { "a record that the database has", "" },
        { "a deleted version that the index still shows", "new 1.0.0 deleted" },
        { "a crate record and a line that disagree on a yank", "new 1.0.0 yanked, yank-doubtful 1.0.0" },
        { "a line without a record of a crate that has others", "new 1.0.0, new 2.0.0, no-record 2.0.0" },
        { "a line of a crate nobody published here", "index-only *" },
        { "a line of other bytes than the database has", "checksum-differs 1.0.0" },
        { "two records of one number, both shown by bytes", "new 1.0.0, number-twice 1.0.0" },
        { "a number that was freed and came again", "new 1.0.0 deleted freed, new 1.0.0" },
        { "a version in force without bytes", "new 1.0.0, bytes-missing 1.0.0" },
        { "a yank that the backup does not know", "changed 1.0.0 yanked" },
        { "a yank that an index older than the backup does not know", "" },
        { "a crate deleted since the backup", "changed 1.0.0 deleted, crate deleted" },
        { "a crate deleted and made again since", "new 2.0.0, crate revived, owners second" },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void What_is_known_of_a_crate_decides_what_comes_back(string name, string decided) => Say(RecoveryRules.Decide(Evidence(name))).ShouldBe(decided);

    [Theory]
    [InlineData("a record whose line stands", "")]
    [InlineData("a record whose bytes stand", "crates/foo/1.0.0/a")]
    [InlineData("a deleted version that the index still shows", "")]
    [InlineData("a record that the database has", "")]
    public void Bytes_are_hashed_only_where_nothing_else_tells_whether_the_publish_was_accepted(string name, string keys) =>
        string.Join(' ', RecoveryRules.Unproven(Evidence(name))).ShouldBe(keys);

    [Fact]
    public void Versions_come_in_the_order_of_the_index_and_those_it_does_not_show_where_their_time_puts_them()
    {
        var evidence = Nothing with
        {
            Records = [Record("1.0.0", "a", at: 50), Record("2.0.0", "b", at: 20), Record("3.0.0", "c", at: 30)],
            Lines = [Line("1.0.0", "a"), Line("2.0.0", "b")],
            Files = Bytes(("1.0.0", "a"), ("2.0.0", "b"), ("3.0.0", "c")),
        };

        // 2.0.0 stands behind 1.0.0 in the index, whatever the clocks said.
        RecoveryRules.Decide(evidence).New.Select(static one => $"{one.Num} {one.PublishedAt}").ShouldBe(["3.0.0 30", "1.0.0 50", "2.0.0 51"]);
    }

    [Fact]
    public void No_revision_that_any_record_names_is_used_again()
    {
        var evidence = Nothing with { Stored = Stored(revision: 3), Record = Told(7) };

        RecoveryRules.Decide(evidence).UsedRevision.ShouldBe(7);
    }

    [Theory]
    [InlineData(5L, "0197f000-0000-7000-8000-000000000000", 5L)]
    [InlineData(null, "0197f000-0000-7000-8000-000000000000", 0x0197f0000000L * 1000)]
    [InlineData(null, "no time in it", 0L)]
    public void A_version_is_as_old_as_its_record_says_and_else_as_the_id_of_its_publish(long? at, string publishId, long expected) =>
        RecoveryRules.AcceptedAt(Record("1.0.0", "a") with { AcceptedAt = at, PublishId = publishId }).ShouldBe(expected);

    private static CrateEvidence Nothing => new(null, [], null, [], Bytes(), NobodyRejected);

    private static CrateEvidence Evidence(string name)
    {
        var published = Nothing with { Records = [Record("1.0.0", "a")], Files = Bytes(("1.0.0", "a")) };
        var stored = published with { Stored = Stored(3, Version("1.0.0", "a")), Lines = [Line("1.0.0", "a")] };
        return name switch
        {
            "nothing at all" => Nothing,
            "a record whose line stands" => published with { Lines = [Line("1.0.0", "a")] },
            "a record whose line stands yanked" => published with { Lines = [Line("1.0.0", "a", yanked: true)] },
            "a record whose bytes stand" => published,
            "a record of other bytes than stand" => published with { Files = new Dictionary<string, FoundBytes> { ["crates/foo/1.0.0/a"] = new(1, "b") } },
            "a record without anything" => published with { Files = Bytes() },
            "a record whose publish the database rejected" => published with { Rejected = new HashSet<string> { "publish-a" } },
            "a record that the database has" => stored,
            "a deleted version that the index still shows" => published with { Lines = [Line("1.0.0", "a")], Record = Told(2, Flags("1.0.0", "a", deleted: true)) },
            "a crate record and a line that disagree on a yank" => published with { Lines = [Line("1.0.0", "a", yanked: true)], Record = Told(2, Flags("1.0.0", "a")) },
            "a line without a record of a crate that has others" =>
                published with { Lines = [Line("1.0.0", "a"), Line("2.0.0", "b")], Files = new Dictionary<string, FoundBytes>(published.Files) { [Registry.Store.StoreKeys.Crate("foo", "2.0.0")] = new(1, null) } },
            "a line of a crate nobody published here" => Nothing with { Lines = [Line("1.0.0", "a")] },
            "a line of other bytes than the database has" => stored with { Lines = [Line("1.0.0", "b")] },
            "two records of one number, both shown by bytes" => Nothing with { Records = [Record("1.0.0", "a"), Record("1.0.0", "b", at: 1)], Files = Bytes(("1.0.0", "a"), ("1.0.0", "b")) },
            "a number that was freed and came again" => Nothing with
            {
                Records = [Record("1.0.0", "a"), Record("1.0.0", "b", at: 1)],
                Record = Told(4, Flags("1.0.0", "a", deleted: true, freed: true)),
                Lines = [Line("1.0.0", "b")],
                Files = Bytes(("1.0.0", "b")),
            },
            "a version in force without bytes" => published with { Lines = [Line("1.0.0", "a")], Files = Bytes() },
            "a yank that the backup does not know" => stored with { Lines = [Line("1.0.0", "a", yanked: true)] },
            "a yank that an index older than the backup does not know" => stored with { Stored = stored.Stored! with { IsShown = false }, Lines = [Line("1.0.0", "a", yanked: true)] },
            "a crate deleted since the backup" => stored with { Record = Told(5, Flags("1.0.0", "a", deleted: true)) with { State = "deleted" } },
            "a crate deleted and made again since" => Nothing with
            {
                Stored = Stored(3, Version("1.0.0", "a") with { Deleted = true }) with { Deleted = true },
                Records = [Record("1.0.0", "a"), Record("2.0.0", "b", at: 9) with { PublishedByLogin = "second" }],
                Files = Bytes(("2.0.0", "b")),
            },
            _ => throw new ArgumentOutOfRangeException(nameof(name), name, null),
        };
    }

    private static string Say(CratePlan plan) => string.Join(
        ", ",
        plan.New.Select(static one => $"new {one.Num}{Say(one.State)}")
            .Concat(plan.Changed.Select(static one => $"changed {one.Version.Num}{Say(one.State)}"))
            .Concat(plan.Notes.Select(static note => $"{note.Kind} {note.Num}"))
            .Concat(plan.Deleted ? ["crate deleted"] : [])
            .Concat(plan.Revived ? ["crate revived", $"owners {string.Join(' ', plan.Owners!)}"] : []));

    private static string Say(VersionState state) => (state.Deleted ? " deleted" : "") + (state.Freed ? " freed" : "") + (state.Yanked ? " yanked" : "");

    private static StoredCrate Stored(long revision, params StoredVersion[] versions) => new(1, "foo", revision, false, true, 0, versions);

    private static StoredVersion Version(string num, string checksum) => new(1, num, $"publish-{checksum}", checksum, $"crates/foo/{num}/{checksum}", false, false, false, null);

    private static IndexedVersion Line(string num, string checksum, bool yanked = false) => new("foo", num, checksum, yanked, "");

    private static CrateRecord Told(long revision, params CrateRecordVersion[] versions) =>
        new() { Name = "foo", Revision = revision, State = "active", CreatedAt = 0, Owners = ["owner"], Versions = versions };

    private static CrateRecordVersion Flags(string num, string checksum, bool deleted = false, bool freed = false) =>
        new(num, $"publish-{checksum}", checksum, deleted, freed, false, null);

    private static Dictionary<string, FoundBytes> Bytes(params (string Num, string Checksum)[] files) =>
        files.ToDictionary(static file => $"crates/foo/{file.Num}/{file.Checksum}", static file => new FoundBytes(1, file.Checksum));

    private static VersionRecord Record(string num, string checksum, long at = 0) => new()
    {
        Name = "foo",
        Version = num,
        Checksum = checksum,
        Size = 1,
        ObjectKey = $"crates/foo/{num}/{checksum}",
        EntryHead = "",
        EntryTail = "",
        Dependencies = "[]",
        Features = "{}",
        Keywords = [],
        Categories = [],
        HasLib = true,
        BinNames = [],
        PublishedBy = 1,
        PublishedByLogin = "owner",
        PublishId = $"publish-{checksum}",
        AcceptedAt = at,
    };
}
