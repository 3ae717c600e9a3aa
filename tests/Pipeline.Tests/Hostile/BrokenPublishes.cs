using System.Text;
using Pipeline.Tests.Generating;

namespace Pipeline.Tests.Hostile;

/// <summary>
/// Makes publishes that break a rule, each in a way of its own, from a source of randomness. None may be valid by luck, so every kind of
/// damage is one that cannot be: a checksum that does not fit, a part that is missing, a word that is no word.
/// </summary>
internal static class BrokenPublishes
{
    private const string Name = "victim";
    private const string Version = "1.0.0";
    private const string Root = $"{Name}-{Version}";
    private static readonly byte[] Good = CrateFile.Plain(Name, Version, "// some text that is longer than a few bytes, so that there is something to damage\n");

    /// <summary>The kinds of damage.</summary>
    public static IReadOnlyList<(string What, Func<Random, byte[]> Make)> Kinds { get; } =
    [
        // The compression.
        // Well before the end marker: what stands behind that one nobody reads, here as on crates.io.
        ("gzip: cut short", random => Archive(Good.AsSpan(0, random.Next(1, Good.Length / 2)).ToArray())),
        ("gzip: the magic number", random => Archive(Changed(Good, random.Next(2), random))),
        ("gzip: noise", random => Archive(Noise(random, random.Next(1, 4000)))),
        ("gzip: nothing", _ => Archive([])),
        ("gzip: noise inside", random => Archive(Gzip(Noise(random, random.Next(513, 20_000))))),

        // The tar.
        // Before the checksum itself, some bytes of which say nothing.
        ("tar: a byte of a header", random => Archive(Tar(tar => tar.Damage(random.Next(148), random)))),
        ("tar: ends within an entry", random => Archive(Tar(tar => tar.Cut(random.Next(513, 512 + 60))))),
        ("tar: a size beyond the end", random => Archive(Tar(tar => tar.File($"{Root}/big", "x", size: random.NextInt64(100_000, 1L << 33)).WithoutEnd()))),
        ("tar: a size that is no number", random => Archive(Tar(tar => tar.File($"{Root}/odd", "", sizeField: $"{Word(random, 11)}\0")))),
        ("tar: a link", random => Archive(Tar(tar => tar.Entry($"{Root}/{Word(random)}", "123467SgVZ"[random.Next(10)])))),
        ("tar: out of its folder", random => Archive(Tar(tar => tar.File($"{Root}/{Word(random)}/../../{Word(random)}", "x")))),
        ("tar: another folder", random => Archive(Tar(tar => tar.File($"{Word(random)}/{Word(random)}", "x")))),
        ("tar: an absolute path", random => Archive(Tar(tar => tar.File($"/{Root}/{Word(random)}", "x")))),
        ("tar: a name that is not UTF-8", random => Archive(Tar(tar => tar.Entry([.. Encoding.ASCII.GetBytes($"{Root}/"), 0xff, (byte)random.Next(128, 256)], '0')))),
        ("tar: a pax record that is none", random => Archive(Tar(tar => tar.Pax($"{random.Next(1, 5)} {Word(random)}")))),
        ("tar: a pax size that differs", random => Archive(Tar(tar => tar.Pax(PaxSize(random)).File($"{Root}/x", "x")))),
        ("tar: no manifest", random => Archive(Gzip(new TarText().File($"{Root}/{Word(random)}", "x").ToArray()))),
        ("tar: two manifests", random => Archive(Tar(tar => tar.File($"{Root}/{Cased(random)}", CrateFile.PlainManifest(Name, Version))))),
        ("tar: a manifest in other letters", random => Archive(Gzip(new TarText().File($"{Root}/{Cased(random)}", CrateFile.PlainManifest(Name, Version)).ToArray()))),

        // The manifest's text.
        ("toml: noise", random => Manifest("[package]\n" + Convert.ToBase64String(Noise(random, random.Next(3, 300))) + "\n")),
        ("toml: an open string", random => Manifest(Plus($"homepage = \"{Word(random)}\n"))),
        ("toml: an open table", random => Manifest(Plus($"[{Word(random)}\n"))),
        ("toml: a key twice", random => Manifest(Plus($"links = \"{Word(random)}\"\nlinks = \"{Word(random)}\"\n"))),
        ("toml: a table twice", random => Manifest(Plus($"[{Word(random)}]\n[package]\n"))),
        ("toml: nested too deep", random => Manifest(Plus($"x = {new string('[', random.Next(2_000, 50_000))}\n"))),
        ("toml: keys too deep", random => Manifest(Plus($"x{string.Concat(Enumerable.Repeat(".y", random.Next(2_000, 50_000)))} = [}}\n"))),
        ("toml: cut short", random => Manifest(CrateFile.PlainManifest(Name, Version)[..random.Next(0, 60)])),

        // What the manifest says.
        ("manifest: a name of another type", random => Manifest($"[package]\nname = {random.Next()}\nversion = \"{Version}\"\n")),
        ("manifest: another name", random => Manifest(CrateFile.PlainManifest(Word(random), Version))),
        ("manifest: another version", random => Manifest(CrateFile.PlainManifest(Name, $"2.{random.Next(99)}.0"))),
        ("manifest: no licence", random => Manifest(CrateFile.PlainManifest(Name, Version).Replace("license = \"MIT\"", $"homepage = \"https://{Word(random)}.example\"", StringComparison.Ordinal))),
        ("manifest: an unknown licence", random => Manifest(CrateFile.PlainManifest(Name, Version).Replace("MIT", $"MIT OR {Word(random)}", StringComparison.Ordinal))),
        ("manifest: a page that is none", random => Manifest(Plus($"repository = \"{Word(random)}:{Word(random)}\"\n"))),
        ("manifest: too many keywords", random => Manifest(Plus($"keywords = [{string.Join(',', Enumerable.Range(0, random.Next(6, 500)).Select(i => $"\"{Word(random)}\""))}]\n"))),
        ("manifest: an unknown category", random => Manifest(Plus($"categories = [\"{Word(random)}\"]\n"))),
        ("manifest: an unknown edition", random => Manifest(CrateFile.PlainManifest(Name, Version).Replace("2021", $"{random.Next(3000, 9999)}", StringComparison.Ordinal))),
        ("manifest: a patch", random => Manifest(Plus($"[patch.crates-io]\n{Word(random)} = {{ path = \"x\" }}\n"))),
        ("manifest: a feature that is no name", random => Manifest(Plus($"[features]\n\"{Word(random)} {Word(random)}\" = []\n"))),
        ("manifest: too many features", random => Manifest(Plus("[features]\n" + string.Concat(Enumerable.Range(0, random.Next(301, 4_000)).Select(i => $"f{i} = []\n"))))),
        ("manifest: too many dependencies", random => Manifest(Plus("[dependencies]\n" + string.Concat(Enumerable.Range(0, random.Next(501, 4_000)).Select(i => $"d{i} = \"1\"\n"))))),
        ("manifest: an unknown dependency", random => Manifest(Plus($"[dependencies]\n{Word(random)} = \"{random.Next(9)}\"\n"))),
        ("manifest: a requirement that is none", random => Manifest(Plus($"[dependencies]\n{Name} = \"{Word(random)}\"\n"))),
        ("manifest: a dependency of another type", random => Manifest(Plus($"[dependencies]\n{Word(random)} = {random.Next()}\n"))),

        // The request around it.
        ("request: no JSON", random => CrateFile.Body(Noise(random, random.Next(1, 400)), Good)),
        ("request: JSON cut short", random => CrateFile.Body(Encoding.UTF8.GetBytes($$"""{"name":"{{Name}}","vers":"{{Version}}","deps":[""").AsSpan(0, random.Next(1, 40)), Good)),
        ("request: JSON nested too deep", random => CrateFile.Body(Encoding.UTF8.GetBytes("{\"name\":" + new string('[', random.Next(1_000, 500_000))), Good)),
        ("request: a name of another type", random => CrateFile.Body(Encoding.UTF8.GetBytes($$"""{"name":{{random.Next()}},"vers":"{{Version}}"}"""), Good)),
        ("request: a name that is none", random => CrateFile.Body($"{Word(random)}.{Word(random)}", Version, Good)),
        ("request: a version that is none", random => CrateFile.Body(Name, $"1.{Word(random)}.0", Good)),
        ("request: the JSON's length is too long", random => Lengths(random.Next(100_000, 1_000_000), Good.Length)),
        ("request: the JSON's length is beyond all bounds", random => Lengths(random.Next(2_000_000, int.MaxValue), Good.Length)),
        ("request: the archive's length is too long", random => Lengths(null, Good.Length + random.Next(1, 1_000_000))),
        ("request: the archive's length is beyond all bounds", random => Lengths(null, random.Next(11_000_000, int.MaxValue))),
        ("request: cut short", random => CrateFile.Body(Name, Version, Good).AsSpan(0, random.Next(0, 60)).ToArray()),
    ];

    /// <summary>One publish of a kind.</summary>
    public static BrokenPublish Make(int kind, Random random) => new(Kinds[kind].What, Kinds[kind].Make(random));

    /// <summary>A publish of half a megabyte that unpacks to 600 MiB.</summary>
    public static byte[] Bomb()
    {
        using var packed = new MemoryStream();
        using (var gzip = new System.IO.Compression.GZipStream(packed, System.IO.Compression.CompressionLevel.Optimal, leaveOpen: true))
        {
            const int size = 600 << 20;
            gzip.Write(new TarText().File($"{Root}/Cargo.toml", CrateFile.PlainManifest(Name, Version)).File($"{Root}/big", "", size).WithoutEnd().ToArray());
            var zeros = new byte[1 << 20];
            for (var left = size; left > 0; left -= zeros.Length) gzip.Write(zeros);
        }

        return Archive(packed.ToArray());
    }

    private static byte[] Archive(byte[] crate) => CrateFile.Body(Name, Version, crate);

    private static byte[] Manifest(string toml) => Archive(CrateFile.Pack(Name, Version, ("Cargo.toml", toml), ("src/lib.rs", "")));

    // What stands behind the last line of [package] belongs to it, or begins a table.
    private static string Plus(string toml) => CrateFile.PlainManifest(Name, Version) + toml;

    private static byte[] Tar(Action<TarText> change)
    {
        var tar = new TarText().File($"{Root}/Cargo.toml", CrateFile.PlainManifest(Name, Version));
        change(tar);
        return Gzip(tar.ToArray());
    }

    private static byte[] Gzip(byte[] content)
    {
        using var packed = new MemoryStream();
        using (var gzip = new System.IO.Compression.GZipStream(packed, System.IO.Compression.CompressionLevel.Fastest, leaveOpen: true)) gzip.Write(content);
        return packed.ToArray();
    }

    private static byte[] Lengths(int? json, int crate)
    {
        var body = CrateFile.Body(Name, Version, Good);
        var length = BitConverter.ToInt32(body);
        BitConverter.TryWriteBytes(body.AsSpan(4 + length), crate);
        if (json is { } said) BitConverter.TryWriteBytes(body, said);
        return body;
    }

    private static byte[] Changed(byte[] bytes, int at, Random random)
    {
        var changed = (byte[])bytes.Clone();
        changed[at] ^= (byte)random.Next(1, 256);
        return changed;
    }

    private static byte[] Noise(Random random, int length)
    {
        var bytes = new byte[length];
        random.NextBytes(bytes);
        // Noise must not begin like any of the formats it stands for.
        bytes[0] = 0xf5;
        return bytes;
    }

    // With a `q` in front it is no number, no licence, no category, no crate of this registry.
    private static string Word(Random random, int length = 10) => "q" + new string(random.GetItems("abcdefghijklmnopqrstuvwxyz".AsSpan(), length - 1));

    private static string Cased(Random random)
    {
        while (true)
        {
            var name = string.Concat("cargo.toml".Select(c => random.Next(2) == 0 ? c : char.ToUpperInvariant(c)));
            if (name is not ("Cargo.toml" or "cargo.toml")) return name;
        }
    }

    private static string PaxSize(Random random)
    {
        var value = random.Next(10, 99);
        return $"11 size={value}\n";
    }
}
