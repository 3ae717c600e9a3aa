using System.Globalization;
using System.Text;
using Pipeline.Tests.Generating;

namespace Pipeline.Tests.Chaos.Workload;

/// <summary>
/// The workload, made from a seed: crates that depend on each other, in dependency order, with yanks, retries, races, uploads that are given up
/// and uploads that break a rule among them.
/// </summary>
internal sealed class Plan
{
    private const int SourceBytes = 2048;

    private readonly Random _random;
    private readonly List<Step> _steps = [];

    private Plan(int seed) => _random = new Random(seed);

    /// <summary>Makes at least so many steps.</summary>
    public static IReadOnlyList<Step> Make(int seed, int steps)
    {
        var plan = new Plan(seed);
        var graph = CrateGraph.Make(seed, (int)(steps * 0.7) + 20, SourceBytes);
        // What others need, or what has further versions, must not be left in doubt.
        var needed = graph.SelectMany(crate => crate.Needs).ToHashSet();
        var placeOf = new int[graph.Count];
        for (var i = 0; i < graph.Count && plan._steps.Count < steps; i++)
        {
            placeOf[i] = plan._steps.Count;
            plan.AddPublish(graph[i], [.. graph[i].Needs.Select(other => placeOf[other])], isNeeded: needed.Contains(i));
            plan.AddYanks(placeOf[i]);
            if (plan._random.Next(8) == 0) plan.AddRefused(graph[i], placeOf[i]);
        }

        return plan._steps;
    }

    private void AddPublish(GeneratedCrate crate, IReadOnlyList<int> after, bool isNeeded)
    {
        var kind = _random.Next(100) switch
        {
            < 20 => StepKind.PublishLater,
            < 24 => StepKind.PublishTwice,
            < 28 => StepKind.Race,
            < 34 when !isNeeded => StepKind.GoAway,
            _ => StepKind.Publish,
        };
        // A racer's twin differs in its bytes alone, so that whichever wins, what depends on it finds it.
        _steps.Add(new Step(kind, crate, after, kind == StepKind.Race ? Plain(crate.Name, crate.Version, $"// the other one of {_steps.Count}\n") : null));
    }

    /// <summary>Yanks a version, or several times to and fro: renderings of one crate then overtake each other.</summary>
    private void AddYanks(int publish)
    {
        if (_steps[publish].Kind == StepKind.GoAway || _random.Next(5) != 0) return;
        var times = _random.Next(3) == 0 ? _random.Next(2, 6) : 1;
        for (var i = 0; i < times; i++) _steps.Add(new Step(i % 2 == 0 ? StepKind.Yank : StepKind.Unyank, _steps[publish].Crate, [i == 0 ? publish : _steps.Count - 1]));
    }

    private void AddRefused(GeneratedCrate crate, int publish)
    {
        var number = _steps.Count.ToString(CultureInfo.InvariantCulture);
        var fresh = $"refused-{number}";
        _steps.Add(_random.Next(5) switch
        {
            // A dependency that nobody has.
            0 => Refused(With(fresh, "1.0.0", "[dependencies.not-there-at-all]\nversion = \"1\"\n")),
            // The manifest names another version than the request.
            1 => Refused(new GeneratedCrate(fresh, "1.0.0", [], [], CrateFile.Body(fresh, "1.0.0", CrateFile.Pack(fresh, "1.0.0", ("Cargo.toml", CrateFile.PlainManifest(fresh, "2.0.0")), ("src/lib.rs", ""))), "")),
            // Not an archive.
            2 => Refused(new GeneratedCrate(fresh, "1.0.0", [], [], CrateFile.Body(fresh, "1.0.0", Encoding.ASCII.GetBytes("no archive at all " + number)), "")),
            // Other bytes for a number that is taken.
            3 when _steps[publish].Kind != StepKind.GoAway => Refused(Plain(crate.Name, crate.Version, $"// too late, {number}\n"), publish),
            // Somebody else's crate.
            4 when _steps[publish].Kind != StepKind.GoAway => Refused(Plain(crate.Name, "9.0.0", ""), publish) with { ByStranger = true },
            // No license.
            _ => Refused(Bare(fresh)),
        });
    }

    private static Step Refused(GeneratedCrate crate, params IReadOnlyList<int> after) => new(StepKind.Refused, crate, after);

    private static GeneratedCrate With(string name, string version, string manifestEnd)
    {
        var file = CrateFile.Pack(name, version, ("Cargo.toml", CrateFile.PlainManifest(name, version) + manifestEnd), ("src/lib.rs", ""));
        return new GeneratedCrate(name, version, [], file, CrateFile.Body(name, version, file), "");
    }

    private static GeneratedCrate Bare(string name)
    {
        var file = CrateFile.Pack(name, "1.0.0", ("Cargo.toml", $"[package]\nname = \"{name}\"\nversion = \"1.0.0\"\nedition = \"2021\"\n"), ("src/lib.rs", ""));
        return new GeneratedCrate(name, "1.0.0", [], file, CrateFile.Body(name, "1.0.0", file), "");
    }

    private static GeneratedCrate Plain(string name, string version, string source)
    {
        var file = CrateFile.Plain(name, version, source);
        return new GeneratedCrate(name, version, [], file, CrateFile.Body(name, version, file), "");
    }
}
