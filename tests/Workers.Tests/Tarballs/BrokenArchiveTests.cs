using System.Diagnostics;
using System.IO.Compression;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Pipeline.Contracts;
using Pipeline.Workers.Tarballs;
using static Pipeline.Workers.Tests.Tarballs.ArchiveBuilder;

namespace Pipeline.Workers.Tests.Tarballs;

/// <summary>Archives broken at random: whatever the bytes are, the answer is facts, the same every time, in bounded time and memory.</summary>
public class BrokenArchiveTests
{
    private static readonly Action<Random, List<byte>>[] TarMutations =
    [
        (random, tar) => Cut(tar, random.Next(tar.Count), random.Next(1, 700)),
        (random, tar) => Cut(tar, random.Next(tar.Count), tar.Count),
        (random, tar) => tar.InsertRange(random.Next(tar.Count / 512) * 512, Noise(random, 512)),
        (random, tar) => tar[random.Next(tar.Count)] ^= (byte)(1 << random.Next(8)),
        (random, tar) => ChangeHeader(random, tar, h => h[random.Next(512)] = (byte)random.Next(256)),
        (random, tar) => ChangeHeader(random, tar, h => h[156] = (byte)random.Next(256)),
        (random, tar) => ChangeHeader(random, tar, h => Noise(random, 12).CopyTo(h, 124)),
        (random, tar) => ChangeHeader(random, tar, h => Put(h, 124, Convert.ToString(random.NextInt64(1L << random.Next(33)), 8).PadLeft(11, '0'))),
        (random, tar) => ChangeHeader(random, tar, h => Noise(random, 8).CopyTo(h, 257)),
        (random, tar) => tar.InsertRange(random.Next(tar.Count / 512) * 512, new ArchiveBuilder().PaxBody(PaxTrick(random)).EndingWith(0).ToTar()),
        (random, tar) => tar.InsertRange(random.Next(tar.Count / 512) * 512, new ArchiveBuilder().LongName(Noise(random, random.Next(600)), "LKxg"[random.Next(4)]).EndingWith(0).ToTar()),
    ];

    private static readonly Action<Random, List<byte>>[] GzipMutations =
    [
        (random, gzip) => Cut(gzip, random.Next(gzip.Count), gzip.Count),
        (random, gzip) => gzip[random.Next(gzip.Count)] ^= (byte)(1 << random.Next(8)),
        (random, gzip) => gzip[random.Next(Math.Min(12, gzip.Count))] = (byte)random.Next(256),
        (random, gzip) => gzip.AddRange(Noise(random, random.Next(20_000))),
        (random, gzip) => gzip.InsertRange(random.Next(gzip.Count), Noise(random, 1 + random.Next(8))),
    ];

    [Fact]
    public void Every_broken_archive_ends_as_facts_and_the_same_ones_again()
    {
        var problems = new HashSet<string>();
        // A failure names the seed; Break(seed) makes the archive again.
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(600).WithEndSize(int.MaxValue), Prop.ForAll(ArbMap.Default.ArbFor<int>(), seed =>
        {
            var archive = Break(seed);
            var facts = Read(archive);
            if (facts.Problem is not null) problems.Add(facts.Problem.Text.Split(':')[0]);
            Json(Read(archive)).ShouldBe(Json(facts));
        }));

        // The mutations must reach into the rules, not only break the compression.
        problems.Count.ShouldBeGreaterThan(4);
    }

    private static TarballFacts Read(byte[] archive)
    {
        var clock = Stopwatch.StartNew();
        var before = GC.GetAllocatedBytesForCurrentThread();
        var facts = TarballReader.Read(new MemoryStream(archive), new TarballRules(Root) { UnpackLimit = 1 << 20, UploadLimit = 0 });
        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBeLessThan(16 << 20);
        clock.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(5));

        facts.Size.ShouldBe(archive.Length);
        facts.UnpackedSize.ShouldBeInRange(0, 1 << 20);
        (facts.Problem is null).ShouldBe(facts.ProblemAt == 0);
        if (facts.Problem is { } problem) problem.ShouldSatisfyAllConditions(p => p.Status.ShouldBe(400), p => p.Code.ShouldBeOneOf(RejectCodes.InvalidArchive, RejectCodes.LimitExceeded));
        if (facts.ProblemAt is not (0 or TarballFacts.AfterLastEntry)) facts.ProblemAt.ShouldBeInRange(facts.EntryCount, facts.EntryCount + 1);
        facts.Manifests.ShouldAllBe(m => m.Entry <= facts.EntryCount);
        return facts;
    }

    private static string Json(TarballFacts facts) => System.Text.Json.JsonSerializer.Serialize(facts, TarballJson.Default.TarballFacts);

    private static byte[] Break(int seed)
    {
        var random = new Random(seed);
        var tar = new List<byte>(Intact(random).EndingWith(random.Next(3)).ToTar());
        for (var count = random.Next(4); count > 0 && tar.Count >= 1024; count--) TarMutations[random.Next(TarMutations.Length)](random, tar);
        var gzip = new List<byte>(Gzip([.. tar], random.Next(2) == 0 ? CompressionLevel.NoCompression : CompressionLevel.Fastest));
        if (random.Next(3) == 0 && gzip.Count > 0) GzipMutations[random.Next(GzipMutations.Length)](random, gzip);
        return [.. gzip];
    }

    private static ArchiveBuilder Intact(Random random)
    {
        var archive = new ArchiveBuilder();
        if (random.Next(8) > 0) archive.File($"{Root}/Cargo.toml", Manifest);
        for (var count = random.Next(6); count > 0; count--)
        {
            _ = random.Next(6) switch
            {
                0 => archive.File($"{Root}/src/lib.rs", new string('x', random.Next(2000))),
                1 => archive.File($"{Root}/{new string('n', 90 + random.Next(60))}", "long"),
                2 => archive.Folder($"{Root}/src"),
                3 => archive.Pax(("path", $"{Root}/src/bin/é.rs"), ("size", "4")).File("elsewhere", "four"),
                4 => archive.File($"{Root}/.cargo_vcs_info.json", """{"path_in_vcs":"a"}"""),
                _ => archive.File($"{Root}/cArgo.toml", "x"),
            };
        }
        return archive;
    }

    private static void ChangeHeader(Random random, List<byte> tar, Action<byte[]> change)
    {
        var at = random.Next(tar.Count / 512) * 512;
        var header = tar.GetRange(at, 512).ToArray();
        change(header);
        Sealed(header);
        for (var i = 0; i < 512; i++) tar[at + i] = header[i];
    }

    private static string PaxTrick(Random random) => random.Next(7) switch
    {
        0 => "size",
        1 => "12 size=2048\n12 size=2049\n",
        2 => Encoding.ASCII.GetString(PaxRecord("size", Encoding.ASCII.GetBytes(random.NextInt64().ToString(System.Globalization.CultureInfo.InvariantCulture)))),
        3 => Encoding.ASCII.GetString(PaxRecord("path", Encoding.ASCII.GetBytes($"{Root}/../{random.Next()}"))),
        4 => $"{random.Next(40)} path=x\n",
        5 => "\n\n",
        _ => Encoding.ASCII.GetString(PaxRecord("uid", "x"u8.ToArray())) + "9 a=b",
    };

    private static void Cut(List<byte> bytes, int from, int count) => bytes.RemoveRange(from, Math.Min(count, bytes.Count - from));

    private static byte[] Noise(Random random, int length)
    {
        var noise = new byte[length];
        random.NextBytes(noise);
        return noise;
    }
}
