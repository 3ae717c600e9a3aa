using System.Text;
using System.Text.Json;
using Pipeline.Contracts;
using Pipeline.Contracts.Index;
using Pipeline.Registry.Truth;

namespace Pipeline.Workers.Recovery;

/// <summary>Reads index files back: the way from a line to a version's row, for versions whose record is lost.</summary>
internal static class IndexLineReader
{
    private const string Flag = ",\"yanked\":";

    /// <summary>The lines of an index file.</summary>
    /// <exception cref="JsonException">A line is none.</exception>
    public static List<IndexedVersion> Read(ReadOnlySpan<byte> file)
    {
        var lines = new List<IndexedVersion>();
        foreach (var text in Encoding.UTF8.GetString(file).Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            using var json = JsonDocument.Parse(text);
            var line = json.RootElement;
            lines.Add(new IndexedVersion(Text(line, "name"), Text(line, "vers"), Text(line, "cksum"), line.GetProperty("yanked").GetBoolean(), text));
        }

        return lines;
    }

    /// <summary>The two halves of a line around the value of <c>yanked</c>. A feature may be called so, but its value is a list.</summary>
    public static (string Head, string Tail) Split(IndexedVersion line)
    {
        var word = line.Yanked ? "true" : "false";
        var at = line.Text.LastIndexOf(Flag + word, StringComparison.Ordinal);
        if (at < 0) throw new JsonException($"the line of {line.Name} {line.Num} is not of this program");
        return (line.Text[..(at + Flag.Length)], line.Text[(at + Flag.Length + word.Length)..]);
    }

    /// <summary>What a line tells of a version's other columns.</summary>
    public static (string Dependencies, string Features, string? Links, string? RustVersion) Columns(IndexedVersion line)
    {
        using var json = JsonDocument.Parse(line.Text);
        var root = json.RootElement;
        var features = new SortedDictionary<string, JsonElement>(StringComparer.Ordinal);
        foreach (var part in new[] { "features", "features2" })
        {
            if (!root.TryGetProperty(part, out var map)) continue;
            foreach (var feature in map.EnumerateObject()) features[feature.Name] = feature.Value;
        }

        var dependencies = DependencyJson.Write(root.GetProperty("deps").EnumerateArray().Select(Dependency));
        var joined = string.Join(',', features.Select(static feature => $"{JsonSerializer.Serialize(feature.Key, Manifests.VersionJson.Default.String)}:{feature.Value.GetRawText()}"));
        return (dependencies, $"{{{joined}}}", TextOrNull(root, "links"), TextOrNull(root, "rust_version"));
    }

    /// <summary>The names of the crates of this registry that a column of dependencies names.</summary>
    public static List<string> LocalNames(string dependencies)
    {
        using var json = JsonDocument.Parse(dependencies);
        return [.. json.RootElement.EnumerateArray().Where(static one => !one.TryGetProperty("registry", out _)).Select(static one => Text(one, "crate_id")).Distinct(StringComparer.Ordinal)];
    }

    private static IndexDependency Dependency(JsonElement json) => new(
        Text(json, "name"),
        Text(json, "req"),
        [.. json.GetProperty("features").EnumerateArray().Select(static feature => feature.GetString()!)],
        json.GetProperty("optional").GetBoolean(),
        json.GetProperty("default_features").GetBoolean(),
        TextOrNull(json, "target"),
        TextOrNull(json, "kind") switch { "build" => DependencyKind.Build, "dev" => DependencyKind.Dev, _ => DependencyKind.Normal },
        TextOrNull(json, "registry"),
        TextOrNull(json, "package"));

    private static string Text(JsonElement json, string name) => json.GetProperty(name).GetString() ?? throw new JsonException($"`{name}` is null");

    private static string? TextOrNull(JsonElement json, string name) => json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
