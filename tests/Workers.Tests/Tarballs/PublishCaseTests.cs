using System.IO.Compression;
using System.Text.Json.Nodes;
using Pipeline.Workers.Tarballs;

namespace Pipeline.Workers.Tests.Tarballs;

/// <summary>The publish cases whose outcome is the archive's to decide, each under its own id.</summary>
public class PublishCaseTests
{
    private static readonly string[] Areas = ["tarball", "size", "manifest", "success"];
    private static readonly string[] ArchiveTexts = ["uploaded tarball", "invalid path found", "unexpected tar entry"];
    private static readonly Dictionary<string, JsonObject> Cases = SharedFiles.PublishCases()
        .Where(c => Areas.Contains((string)c["area"]!) && c["tarball"] is not null)
        .Where(c => (int)c["expect_status"]! != 413) // the upload limit is the intake's
        .ToDictionary(c => (string)c["id"]!);

    public static TheoryData<string> Ids => [.. Cases.Keys];

    [Theory]
    [MemberData(nameof(Ids))]
    public void An_archive_is_judged_as_crates_io_judges_it(string id)
    {
        var publish = Cases[id];
        var expected = (string?)publish["expect_error"];
        var aboutArchive = expected is not null && ArchiveTexts.Any(expected.StartsWith);

        var facts = TarballReaderTests.Read(MakeArchive(publish), MakeRules(publish));

        (facts.Problem?.Text).ShouldBe(aboutArchive ? expected : null);
        if (expected is null) facts.Manifest.ShouldNotBeNull();
        if (publish.TryGetPropertyValue("expect_vcs", out var vcs)) facts.PathInVcs.ShouldBe((string?)vcs?["path_in_vcs"]);
    }

    [Fact]
    public void There_are_cases() => Cases.Count.ShouldBeGreaterThan(50);

    private static TarballRules MakeRules(JsonObject publish)
    {
        var rules = new TarballRules($"{publish["metadata"]!["name"]}-{publish["metadata"]!["vers"]}");
        var config = publish["config"]?.AsObject() ?? [];
        return rules with
        {
            UploadLimit = (long?)config["upload_size"] ?? rules.UploadLimit,
            UnpackLimit = (long?)config["unpack_size"] ?? rules.UnpackLimit,
            MaxEntries = (int?)config["tarball_entries"],
        };
    }

    private static byte[] MakeArchive(JsonObject publish)
    {
        var archive = new ArchiveBuilder();
        foreach (var entry in publish["tarball"]!.AsArray().Select(n => n!.AsObject())) Add(archive, entry);
        return archive.ToGzip((int?)publish["config"]?["gzip_level"] == 0 ? CompressionLevel.NoCompression : CompressionLevel.Optimal);
    }

    private static void Add(ArchiveBuilder archive, JsonObject entry)
    {
        if (entry["records"] is { } records) archive.Pax([.. records.AsObject().Select(r => (r.Key, (string)r.Value!))]);
        else if (entry["records_hex"] is { } hex) archive.PaxBody(hex.AsObject().SelectMany(r => ArchiveBuilder.PaxRecord(r.Key, Convert.FromHexString((string)r.Value!))).ToArray());
        else archive.Entry(Type(entry), Bytes(entry, "path"), Bytes(entry, "content"));
    }

    private static byte[] Bytes(JsonObject entry, string field) =>
        entry[field + "_hex"] is { } hex ? Convert.FromHexString((string)hex!)
        : entry[field + "_repeat"] is { } repeat ? System.Text.Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat((string)repeat[0]!, (int)repeat[1]!)))
        : System.Text.Encoding.UTF8.GetBytes((string?)entry[field] ?? "");

    private static char Type(JsonObject entry) => (string?)entry["typeflag"] is { } flag ? flag[0] : (string)entry["type"]! switch
    {
        "file" => '0',
        "dir" => '5',
        var other => throw new ArgumentException($"no type flag for {other}"),
    };
}
