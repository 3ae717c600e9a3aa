using System.Security.Cryptography;

namespace Pipeline.Tests.Generating;

/// <summary>Crates that depend on each other, made from a seed: the same seed, the same bytes.</summary>
internal static class CrateGraph
{
    private static readonly (string Written, string Requirement)[] Requirements =
    [
        ("1", "^1"), ("1.0", "^1.0"), ("^1.0.0", "^1.0.0"), ("~1.0", "~1.0"), (">=1, <3", ">=1, <3"), ("> 0", ">0"), ("1.*", "1.*"), ("=1.0.0", "=1.0.0"),
    ];

    private static readonly string[] Targets = ["cfg(unix)", "cfg(target_os = \"linux\")", "x86_64-pc-windows-msvc"];
    private static readonly string[] RustVersions = ["1.56", "1.70.0", "1.85"];

    /// <summary>Makes the graph, in dependency order.</summary>
    /// <param name="seed">Where everything random comes from.</param>
    /// <param name="crates">How many crates; about one in twelve has further versions on top.</param>
    /// <param name="sourceBytes">How much text, that does not compress, each carries.</param>
    public static List<GeneratedCrate> Make(int seed, int crates, int sourceBytes = 64)
    {
        var random = new Random(seed);
        var made = new List<GeneratedCrate>(crates + (crates / 8));
        var names = new List<string>(crates);
        var first = new List<int>(crates);
        for (var i = 0; i < crates; i++)
        {
            first.Add(made.Count);
            names.Add(Name(random, i));
            made.Add(Version(random, names, first, i, "1.0.0", null, sourceBytes));
            if (random.Next(12) != 0) continue;
            for (var minor = 1; minor <= random.Next(1, 4); minor++) made.Add(Version(random, names, first, i, $"1.{minor}.0", made.Count - 1, sourceBytes));
        }

        return made;
    }

    // The number keeps names apart; letters, case and dashes spread them over the folders of an index.
    private static string Name(Random random, int number)
    {
        var letters = random.GetItems("abcdefghijklmnopqrstuvwxyz".AsSpan(), random.Next(1, 7));
        if (random.Next(10) == 0) letters[0] = char.ToUpperInvariant(letters[0]);
        return new string(letters) + (letters.Length > 2 ? random.GetItems(["", "-", "_", "-x-"], 1)[0] : "") + number.ToString(System.Globalization.CultureInfo.InvariantCulture);
    }

    private static GeneratedCrate Version(Random random, List<string> names, List<int> first, int crate, string version, int? after, int sourceBytes)
    {
        var name = names[crate];
        var rustVersion = random.Next(4) == 0 ? random.GetItems(RustVersions, 1)[0] : null;
        var (dependencies, needs) = Dependencies(random, names, first, crate);
        if (after is { } earlier) needs.Add(earlier);
        var features = Features(random, dependencies);

        var source = "// " + Convert.ToBase64String(RandomBytes(random, sourceBytes * 3 / 4)) + "\n";
        var file = CrateFile.Pack(name, version, ("Cargo.toml", GeneratedText.Manifest(name, version, rustVersion, features, dependencies)), ("src/lib.rs", source));
        var body = CrateFile.Body(GeneratedText.Json(name, version, rustVersion, features, dependencies), file);
        var line = GeneratedText.IndexLine(name, version, Convert.ToHexStringLower(SHA256.HashData(file)), rustVersion, features, dependencies);
        return new GeneratedCrate(name, version, needs, file, body, line);
    }

    private static (List<GeneratedDependency> Dependencies, List<int> Needs) Dependencies(Random random, List<string> names, List<int> first, int crate)
    {
        var dependencies = new List<GeneratedDependency>();
        var needs = new List<int>();
        var taken = new HashSet<int>();
        for (var left = crate == 0 ? 0 : random.Next(6); left > 0; left--)
        {
            // A few crates have very many dependents, as in life.
            var other = random.Next(3) == 0 ? random.Next(Math.Min(crate, 10)) : random.Next(crate);
            if (!taken.Add(other)) continue;
            needs.Add(first[other]);
            dependencies.Add(Dependency(random, names[other]));
            // The same crate for tests too: its line stands behind the other.
            if (random.Next(15) == 0) dependencies.Add(Dependency(random, names[other], dependencies[^1].Kind == "dev" ? "normal" : "dev"));
        }

        return (dependencies, needs);
    }

    private static GeneratedDependency Dependency(Random random, string package, string? kind = null)
    {
        kind ??= random.GetItems(["normal", "normal", "normal", "dev", "build"], 1)[0];
        var (written, requirement) = random.GetItems(Requirements, 1)[0];
        return new GeneratedDependency(package, kind)
        {
            Written = written,
            Requirement = requirement,
            Alias = random.Next(10) == 0 ? "other_" + package.ToLowerInvariant().Replace('-', '_') : null,
            Target = random.Next(8) == 0 ? random.GetItems(Targets, 1)[0] : null,
            Optional = kind == "normal" && random.Next(5) == 0,
            DefaultFeatures = random.Next(6) != 0,
            Features = random.Next(6) == 0 ? ["std", "alloc"] : [],
        };
    }

    private static SortedDictionary<string, string[]> Features(Random random, List<GeneratedDependency> dependencies)
    {
        var features = new SortedDictionary<string, string[]>(StringComparer.Ordinal);
        if (random.Next(3) == 0)
        {
            features["std"] = ["alloc"];
            features["alloc"] = [];
        }

        if (dependencies.FirstOrDefault(dependency => dependency.Optional) is { } optional) features["with"] = [$"dep:{optional.Key}"];
        return features;
    }

    private static byte[] RandomBytes(Random random, int count)
    {
        var bytes = new byte[count];
        random.NextBytes(bytes);
        return bytes;
    }
}
