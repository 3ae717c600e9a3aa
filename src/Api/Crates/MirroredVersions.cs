using System.Text.Json;
using System.Text.Json.Nodes;
using Pipeline.Contracts;
using Pipeline.Contracts.Index;
using Pipeline.Registry.Database;
using Pipeline.Registry.Truth;
using Pipeline.Registry.Upstreams;

namespace Pipeline.Api.Crates;

/// <summary>
/// The versions of a mirrored crate as the API shows them: read from the lines of its upstream's file, and from the manifests of files that were
/// fetched. A version's id is its line's number.
/// </summary>
internal static class MirroredVersions
{
    /// <summary>All versions, the last line first. A version that two lines have is the later one's.</summary>
    public static async ValueTask<List<VersionObject>> AllAsync(Statements sql, long crateId)
    {
        if (await FileAsync(sql, crateId).ConfigureAwait(false) is not { } stored) return [];
        var versions = new List<VersionObject>(stored.File.Lines.Count);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var i = stored.File.Lines.Count - 1; i >= 0; i--)
        {
            if (seen.Add(stored.File.Lines[i].Version.Text)) versions.Add(Shape(stored, i));
        }

        return versions;
    }

    /// <summary>The same, by precedence, the highest first.</summary>
    public static IEnumerable<VersionObject> BySemver(IEnumerable<VersionObject> versions) => versions.OrderByDescending(static version => CrateVersion.Parse(version.Num, null));

    /// <summary>A version by its number; null: the file has none.</summary>
    public static async ValueTask<FoundVersion?> FindAsync(Statements sql, FoundCrate crate, string num)
    {
        if (await FileAsync(sql, crate.Id).ConfigureAwait(false) is not { } stored) return null;
        for (var i = stored.File.Lines.Count - 1; i >= 0; i--)
        {
            if (stored.File.Lines[i].Version.Text == num) return new FoundVersion(crate, i + 1, num, stored.File.Lines[i].Yanked, null);
        }

        return null;
    }

    /// <summary>One version.</summary>
    public static async ValueTask<VersionObject?> OneAsync(Statements sql, FoundVersion version) =>
        await FileAsync(sql, version.Crate.Id).ConfigureAwait(false) is { } stored && version.Id <= stored.File.Lines.Count ? Shape(stored, (int)version.Id - 1) : null;

    /// <summary>A version's dependencies as the column <c>versions.dependencies</c> has those of local ones.</summary>
    public static async ValueTask<string> DependenciesAsync(Statements sql, FoundVersion version)
    {
        if (await FileAsync(sql, version.Crate.Id).ConfigureAwait(false) is not { } stored || version.Id > stored.File.Lines.Count) return "[]";
        using var line = Parse(stored, (int)version.Id - 1);
        var dependencies = new List<IndexDependency>();
        if (line.RootElement.TryGetProperty("deps", out var deps) && deps.ValueKind == JsonValueKind.Array)
        {
            foreach (var one in deps.EnumerateArray())
            {
                if (one.ValueKind == JsonValueKind.Object && Text(one, "name") is { } name) dependencies.Add(Dependency(one, name));
            }
        }

        return DependencyJson.Write(dependencies);
    }

    // Strangers wrote these lines: a field of another type than it should have is as good as none.
    private static IndexDependency Dependency(JsonElement one, string name) => new(
        Name: name,
        Req: Text(one, "req") ?? "*",
        Features: one.TryGetProperty("features", out var features) && features.ValueKind == JsonValueKind.Array
            ? [.. features.EnumerateArray().Where(static value => value.ValueKind == JsonValueKind.String).Select(static value => value.GetString()!)] : [],
        Optional: Flag(one, "optional", otherwise: false),
        DefaultFeatures: Flag(one, "default_features", otherwise: true),
        Target: Text(one, "target"),
        Kind: Text(one, "kind") switch { "build" => DependencyKind.Build, "dev" => DependencyKind.Dev, _ => DependencyKind.Normal },
        Registry: Text(one, "registry"),
        Package: Text(one, "package"));

    private static VersionObject Shape(Stored stored, int index)
    {
        using var document = Parse(stored, index);
        var (line, root) = (stored.File.Lines[index], document.RootElement);
        var fetched = stored.Fetched.GetValueOrDefault((line.Version.Text, line.Checksum));
        var published = Text(root, "pubtime") is { } time && DateTimeOffset.TryParse(time, System.Globalization.CultureInfo.InvariantCulture, out var at) ? Microseconds.Of(at) : stored.CreatedAt;
        return new VersionObject
        {
            Id = index + 1,
            Crate = stored.File.Name,
            Num = line.Version.Text,
            CreatedAt = published,
            UpdatedAt = published,
            Features = Features(root),
            Yanked = line.Yanked,
            Links = Text(root, "links"),
            Size = fetched?.Size ?? 0,
            License = fetched?.Metadata?.License,
            Edition = fetched?.Metadata?.Edition,
            Description = fetched?.Metadata?.Description,
            Homepage = fetched?.Metadata?.Homepage,
            Documentation = fetched?.Metadata?.Documentation,
            Repository = fetched?.Metadata?.Repository,
            Checksum = line.Checksum,
            RustVersion = Text(root, "rust_version"),
            HasLib = true,
            BinNames = "[]",
        };
    }

    private static string Features(JsonElement line)
    {
        var all = new JsonObject();
        foreach (var name in new[] { "features", "features2" })
        {
            if (!line.TryGetProperty(name, out var features) || features.ValueKind != JsonValueKind.Object) continue;
            foreach (var feature in features.EnumerateObject()) all[feature.Name] = JsonNode.Parse(feature.Value.GetRawText());
        }

        return all.ToJsonString();
    }

    private static JsonDocument Parse(Stored stored, int index) => JsonDocument.Parse(stored.Bytes.AsMemory(stored.File.Lines[index].Line));

    private static string? Text(JsonElement element, string name) => element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static bool Flag(JsonElement element, string name, bool otherwise) =>
        element.TryGetProperty(name, out var value) && value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean() : otherwise;

    private static async ValueTask<Stored?> FileAsync(Statements sql, long crateId)
    {
        var row = await sql.FirstAsync(
            "SELECT name, created_at, upstream_file FROM crates WHERE id = $1 AND state = 'active' AND upstream_file IS NOT NULL",
            static row => new { Name = row.Text(0), CreatedAt = row.Long(1), Bytes = row.Bytes(2) }, crateId).ConfigureAwait(false);
        if (row is null || !MirroredFile.TryRead(row.Bytes, row.Name, out var file, out _)) return null;
        var fetched = await sql.QueryAsync(
            "SELECT num, checksum, size, metadata FROM upstream_files WHERE crate_id = $1 AND kept_at IS NOT NULL",
            static row => KeyValuePair.Create((row.Text(0), row.Text(1)), new Fetched(row.LongOrNull(2) ?? 0, Metadata(row.TextOrNull(3)))), crateId).ConfigureAwait(false);
        return new Stored(file, row.Bytes, row.CreatedAt, new Dictionary<(string, string), Fetched>(fetched));
    }

    private static FileMetadata? Metadata(string? json) => json is null ? null : JsonSerializer.Deserialize(json, FileMetadataJson.Default.FileMetadata);

    private sealed record Fetched(long Size, FileMetadata? Metadata);

    private sealed record Stored(MirroredFile File, byte[] Bytes, long CreatedAt, Dictionary<(string Num, string Checksum), Fetched> Fetched);
}
