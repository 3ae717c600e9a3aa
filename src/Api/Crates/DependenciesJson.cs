using System.Text.Json;
using Pipeline.Registry.Truth;

namespace Pipeline.Api.Crates;

/// <summary>
/// Shows stored dependencies (<see cref="DependencyJson"/>) as crates-io-behaviour §6.6 has them. Dependencies have no rows of their
/// own here, so their ids are the version's id and their place in its list.
/// </summary>
internal static class DependenciesJson
{
    // A version has at most a few hundred dependencies, so places stay below this.
    private const long PlacesPerVersion = 1000;

    /// <summary>Writes a version's dependencies under <c>dependencies</c>.</summary>
    public static void WriteList(Utf8JsonWriter json, long versionId, string stored)
    {
        using var document = JsonDocument.Parse(stored);
        json.WriteStartArray("dependencies");
        var place = 0;
        foreach (var dependency in document.RootElement.EnumerateArray()) Write(json, versionId, place++, dependency);
        json.WriteEndArray();
    }

    /// <summary>Writes the first dependency of a version on a crate as a value; nothing when there is none.</summary>
    public static void WriteFirstOn(Utf8JsonWriter json, long versionId, string stored, string crate)
    {
        using var document = JsonDocument.Parse(stored);
        var place = 0;
        foreach (var dependency in document.RootElement.EnumerateArray())
        {
            if (dependency.GetProperty("crate_id").ValueEquals(crate) && !dependency.TryGetProperty("registry", out _))
            {
                Write(json, versionId, place, dependency);
                return;
            }

            place++;
        }
    }

    private static void Write(Utf8JsonWriter json, long versionId, int place, JsonElement dependency)
    {
        json.WriteStartObject();
        json.WriteNumber("id", (versionId * PlacesPerVersion) + place);
        json.WriteNumber("version_id", versionId);
        foreach (var member in dependency.EnumerateObject()) member.WriteTo(json);
        json.WriteNumber("downloads", 0);
        json.WriteEndObject();
    }
}
