using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Pipeline.Contracts;
using Pipeline.Workers.Manifests.Toml;

namespace Pipeline.Cli.Importing;

/// <summary>
/// The JSON that cargo would send with a .crate, derived from the .crate itself (cargo-client-behaviour §7): cargo makes both from the same
/// normalised manifest.
/// </summary>
internal sealed class PublishJson
{
    private static readonly string[] Readmes = ["README.md", "README.txt", "README"];

    private static readonly JsonWriterOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private PublishJson(string name, string version, IReadOnlyList<PublishDependency> dependencies, byte[] json) =>
        (Name, Version, Dependencies, Json) = (name, version, dependencies, json);

    /// <summary>The crate's name as the manifest has it.</summary>
    public string Name { get; }

    /// <summary>The version as the manifest has it.</summary>
    public string Version { get; }

    /// <summary>The dependencies.</summary>
    public IReadOnlyList<PublishDependency> Dependencies { get; }

    /// <summary>The JSON, UTF-8.</summary>
    public byte[] Json { get; }

    /// <summary>Derives the JSON. Where the archive is too broken for that, only name and version are sent, taken from the file's name.</summary>
    /// <param name="fileName">The file's name, <c>{name}-{version}.crate</c>.</param>
    /// <param name="crate">The file's bytes.</param>
    /// <param name="registry">The registry it was made for.</param>
    /// <exception cref="InvalidDataException">Neither tells name and version.</exception>
    public static PublishJson Derive(string fileName, byte[] crate, RegistryOfCrates registry)
    {
        try
        {
            var files = CrateArchive.Read(crate, static path => path == "Cargo.toml" || path.StartsWith("README", StringComparison.Ordinal));
            if (files.TryGetValue("Cargo.toml", out var manifest) && TryDerive(manifest, crate, files, registry, out var derived)) return derived;
        }
        catch (InvalidDataException)
        {
            // The registry says better what is wrong with the archive.
        }

        return FromFileName(fileName);
    }

    private static bool TryDerive(
        byte[] manifest, byte[] crate, Dictionary<string, byte[]> files, RegistryOfCrates registry, [NotNullWhen(true)] out PublishJson? derived)
    {
        derived = null;
        if (!TomlParser.TryParse(manifest, out var root, out _)) return false;
        var package = (root.TryGetValue("package", out var table) || root.TryGetValue("project", out table) ? table : root) as TomlTable;
        if (TomlReading.Text(package, "name") is not { } name) return false;
        var version = TomlReading.Text(package, "version") ?? "0.0.0";
        var dependencies = PublishDependency.ReadAll(root, registry);
        var readme = ReadmePath(package!, files.Keys);
        if (readme is not null && !files.ContainsKey(readme)) files = CrateArchive.Read(crate, path => path == readme);
        var json = Write(writer => WriteMembers(writer, root, package!, name, version, dependencies, readme, readme is null ? null : Decode(files, readme)));
        derived = new PublishJson(name, version, dependencies, json);
        return true;
    }

    private static PublishJson FromFileName(string fileName)
    {
        var stem = Path.GetFileNameWithoutExtension(fileName);
        for (var at = stem.IndexOf('-', StringComparison.Ordinal); at >= 0; at = stem.IndexOf('-', at + 1))
        {
            var (name, version) = (stem[..at], stem[(at + 1)..]);
            if (!CrateVersion.TryParse(version, out _)) continue;
            return new PublishJson(name, version, [], Write(json =>
            {
                json.WriteString("name", name);
                json.WriteString("vers", version);
            }));
        }

        throw new InvalidDataException("it is no .crate file: it has no readable Cargo.toml, and its name is not of the form name-version.crate");
    }

    private static string? ReadmePath(TomlTable package, ICollection<string> files) =>
        !package.TryGetValue("readme", out var value) ? Readmes.FirstOrDefault(files.Contains)
        : value is TomlBoolean { Value: true } ? Readmes[0]
        : (value as TomlString)?.Value;

    private static string? Decode(Dictionary<string, byte[]> files, string path)
    {
        try
        {
            return files.TryGetValue(path, out var bytes) ? new UTF8Encoding(false, true).GetString(bytes) : null;
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }

    private static byte[] Write(Action<Utf8JsonWriter> members)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, Plain))
        {
            json.WriteStartObject();
            members(json);
            json.WriteEndObject();
        }

        return buffer.ToArray();
    }

    // The members stand in the order of cargo's own struct.
    private static void WriteMembers(
        Utf8JsonWriter json, TomlTable root, TomlTable package, string name, string version, List<PublishDependency> dependencies, string? readmePath, string? readme)
    {
        json.WriteString("name", name);
        json.WriteString("vers", version);
        json.WriteStartArray("deps");
        foreach (var dependency in dependencies) WriteDependency(json, dependency);
        json.WriteEndArray();
        WriteMap(json, "features", root, static (json, value) => WriteTexts(json, TomlReading.Texts(value)));
        WriteList(json, "authors", package);
        WriteText(json, package, "description", "documentation", "homepage");
        json.WriteString("readme", readme);
        json.WriteString("readme_file", readmePath);
        WriteList(json, "keywords", package);
        WriteList(json, "categories", package);
        WriteText(json, package, "license", "license-file", "repository");
        WriteMap(json, "badges", root, WriteBadge);
        WriteText(json, package, "links", "rust-version");
    }

    private static void WriteDependency(Utf8JsonWriter json, PublishDependency dependency)
    {
        var table = dependency.Table as TomlTable;
        json.WriteStartObject();
        json.WriteBoolean("optional", TomlReading.Bool(table, "optional", false));
        json.WriteBoolean("default_features", TomlReading.Bool(table, "default-features", true));
        json.WriteString("name", dependency.Name);
        json.WritePropertyName("features");
        WriteTexts(json, TomlReading.Texts(table is null ? null : TomlReading.Aliased(table, "features")));
        json.WriteString("version_req", dependency.Requirement);
        json.WriteString("target", dependency.Target);
        json.WriteString("kind", dependency.Kind.ToString().ToLowerInvariant());
        if (dependency.Registry is { } registry) json.WriteString("registry", registry);
        if (dependency.ExplicitName is { } key) json.WriteString("explicit_name_in_toml", key);
        WriteArtifact(json, table);
        json.WriteEndObject();
    }

    // Unstable in cargo, but sent when it is there.
    private static void WriteArtifact(Utf8JsonWriter json, TomlTable? table)
    {
        if (table is null || !table.TryGetValue("artifact", out var artifact)) return;
        json.WritePropertyName("artifact");
        WriteTexts(json, artifact is TomlString one ? [one.Value] : TomlReading.Texts(artifact));
        if (TomlReading.Text(table, "target") is { } target) json.WriteString("bindep_target", target);
        if (TomlReading.Bool(table, "lib", false)) json.WriteBoolean("lib", true);
    }

    private static void WriteText(Utf8JsonWriter json, TomlTable package, params ReadOnlySpan<string> keys)
    {
        foreach (var key in keys) json.WriteString(key.Replace('-', '_'), TomlReading.Text(package, key));
    }

    private static void WriteList(Utf8JsonWriter json, string key, TomlTable package)
    {
        json.WritePropertyName(key);
        WriteTexts(json, TomlReading.Texts(TomlReading.Aliased(package, key)));
    }

    private static void WriteTexts(Utf8JsonWriter json, IEnumerable<string> texts)
    {
        json.WriteStartArray();
        foreach (var text in texts) json.WriteStringValue(text);
        json.WriteEndArray();
    }

    private static void WriteMap(Utf8JsonWriter json, string key, TomlTable root, Action<Utf8JsonWriter, TomlValue> write)
    {
        json.WriteStartObject(key);
        if (root.TryGetValue(key, out var value) && value is TomlTable table)
        {
            foreach (var entry in table.OrderBy(entry => entry.Key, Utf8Order.Instance))
            {
                json.WritePropertyName(entry.Key);
                write(json, entry.Value);
            }
        }

        json.WriteEndObject();
    }

    private static void WriteBadge(Utf8JsonWriter json, TomlValue badge)
    {
        json.WriteStartObject();
        foreach (var (key, _, value) in (badge as TomlTable)?.OrderBy(entry => entry.Key, Utf8Order.Instance) ?? Enumerable.Empty<TomlEntry>())
            json.WriteString(key, (value as TomlString)?.Value ?? value.ToString());
        json.WriteEndObject();
    }
}
