using System.Text;

namespace Pipeline.Tests.Generating;

/// <summary>
/// Writes a generated crate's manifest, the JSON cargo would send, and the index line the rules ask for. It shares no code with the
/// registry, so that what is wrong on one side does not agree with the other.
/// </summary>
internal static class GeneratedText
{
    private static readonly string[] KindsInOrder = ["normal", "build", "dev"];

    /// <summary>The manifest as cargo packages it.</summary>
    public static string Manifest(string name, string version, string? rustVersion, IReadOnlyDictionary<string, string[]> features, IReadOnlyList<GeneratedDependency> dependencies)
    {
        var toml = new StringBuilder()
            .Append("[package]\nedition = \"2021\"\n")
            .Append("name = \"").Append(name).Append("\"\nversion = \"").Append(version).Append("\"\n")
            .Append("description = \"").Append(name).Append(", one of many\"\nlicense = \"MIT OR Apache-2.0\"\n");
        if (rustVersion is not null) toml.Append("rust-version = \"").Append(rustVersion).Append("\"\n");
        foreach (var dependency in dependencies)
        {
            toml.Append("\n[").Append(dependency.Target is null ? "" : $"target.'{dependency.Target}'.").Append(Table(dependency.Kind)).Append(dependency.Key).Append("]\n");
            toml.Append("version = \"").Append(dependency.Written).Append("\"\n");
            if (dependency.Alias is not null) toml.Append("package = \"").Append(dependency.Package).Append("\"\n");
            if (dependency.Optional) toml.Append("optional = true\n");
            if (!dependency.DefaultFeatures) toml.Append("default-features = false\n");
            if (dependency.Features.Count > 0) toml.Append("features = ").Append(List(dependency.Features)).Append('\n');
        }

        if (features.Count > 0) toml.Append("\n[features]\n");
        foreach (var (feature, values) in features) toml.Append(feature).Append(" = ").Append(List(values)).Append('\n');
        return toml.ToString();
    }

    /// <summary>The publish JSON (cargo-client-behaviour §7), with every member cargo sends.</summary>
    public static byte[] Json(string name, string version, string? rustVersion, IReadOnlyDictionary<string, string[]> features, IReadOnlyList<GeneratedDependency> dependencies)
    {
        var deps = dependencies.Select(dependency =>
            $$"""{"optional":{{Word(dependency.Optional)}},"default_features":{{Word(dependency.DefaultFeatures)}},"name":"{{dependency.Package}}","features":{{List(dependency.Features)}},"version_req":"{{dependency.Requirement}}","target":{{Text(dependency.Target)}},"kind":"{{dependency.Kind}}"{{(dependency.Alias is null ? "" : $",\"explicit_name_in_toml\":\"{dependency.Alias}\"")}}}""");
        return Encoding.UTF8.GetBytes(
            $$"""{"name":"{{name}}","vers":"{{version}}","deps":[{{string.Join(',', deps)}}],"features":{{Map(features)}},"authors":[],"description":"{{name}}, one of many","documentation":null,"homepage":null,"readme":null,"readme_file":null,"keywords":[],"categories":[],"license":"MIT OR Apache-2.0","license_file":null,"repository":null,"badges":{},"links":null,"rust_version":{{Text(rustVersion)}}}""");
    }

    /// <summary>The index line. Of the features, those with <c>dep:</c> are the only ones of the newer syntax, and no other names them.</summary>
    public static string IndexLine(
        string name, string version, string checksum, string? rustVersion, IReadOnlyDictionary<string, string[]> features, IReadOnlyList<GeneratedDependency> dependencies)
    {
        var deps = dependencies
            .OrderBy(dependency => dependency.Key, StringComparer.Ordinal)
            .ThenBy(dependency => Array.IndexOf(KindsInOrder, dependency.Kind))
            .Select(dependency =>
                $$"""{"name":"{{dependency.Key}}","req":"{{dependency.Requirement}}","features":{{List(dependency.Features)}},"optional":{{Word(dependency.Optional)}},"default_features":{{Word(dependency.DefaultFeatures)}},"target":{{Text(dependency.Target)}},"kind":"{{dependency.Kind}}"{{(dependency.Alias is null ? "" : $",\"package\":\"{dependency.Package}\"")}}}""");
        var newer = features.Where(feature => feature.Value.Any(value => value.StartsWith("dep:", StringComparison.Ordinal))).ToDictionary();
        var older = features.Where(feature => !newer.ContainsKey(feature.Key)).ToDictionary();
        return $$"""{"name":"{{name}}","vers":"{{version}}","deps":[{{string.Join(',', deps)}}],"cksum":"{{checksum}}","features":{{Map(older)}}"""
            + (newer.Count == 0 ? "" : $",\"features2\":{Map(newer)}")
            + ",\"yanked\":false"
            + (rustVersion is null ? "" : $",\"rust_version\":\"{rustVersion}\"")
            + (newer.Count == 0 ? "}" : ",\"v\":2}");
    }

    private static string Table(string kind) => kind switch { "dev" => "dev-dependencies.", "build" => "build-dependencies.", _ => "dependencies." };

    private static string Map(IReadOnlyDictionary<string, string[]> features) =>
        "{" + string.Join(',', features.OrderBy(feature => feature.Key, StringComparer.Ordinal).Select(feature => $"\"{feature.Key}\":{List(feature.Value)}")) + "}";

    private static string List(IEnumerable<string> texts) => "[" + string.Join(',', texts.Select(text => $"\"{text}\"")) + "]";

    // Only platforms hold characters that JSON escapes.
    private static string Text(string? text) => text is null ? "null" : $"\"{text.Replace("\"", "\\\"", StringComparison.Ordinal)}\"";

    private static string Word(bool value) => value ? "true" : "false";
}
