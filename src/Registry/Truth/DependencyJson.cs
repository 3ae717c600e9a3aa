using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Pipeline.Contracts;
using Pipeline.Contracts.Index;

namespace Pipeline.Registry.Truth;

/// <summary>
/// The column <c>versions.dependencies</c>: the dependencies as the API shows them (crates-io-behaviour §6.6), ordered by optional and
/// name. Row ids are added when they are shown.
/// </summary>
public static class DependencyJson
{
    private static readonly JsonWriterOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The column's value for a version's dependencies.</summary>
    public static string Write(IEnumerable<IndexDependency> dependencies)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(buffer, Plain))
        {
            json.WriteStartArray();
            foreach (var dependency in dependencies.OrderBy(static d => d.Optional).ThenBy(static d => d.Package ?? d.Name, StringComparer.Ordinal)) Write(json, dependency);
            json.WriteEndArray();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    private static void Write(Utf8JsonWriter json, IndexDependency dependency)
    {
        json.WriteStartObject();
        json.WriteString("crate_id", dependency.Package ?? dependency.Name);
        json.WriteString("req", dependency.Req);
        json.WriteBoolean("optional", dependency.Optional);
        json.WriteBoolean("default_features", dependency.DefaultFeatures);
        json.WriteStartArray("features");
        foreach (var feature in dependency.Features) json.WriteStringValue(feature);
        json.WriteEndArray();
        json.WriteString("target", dependency.Target);
        json.WriteString("kind", dependency.Kind switch { DependencyKind.Build => "build", DependencyKind.Dev => "dev", _ => "normal" });
        if (dependency.Registry is { } registry) json.WriteString("registry", registry);
        json.WriteEndObject();
    }
}
