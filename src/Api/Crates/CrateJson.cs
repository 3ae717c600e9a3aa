using System.Text.Json;
using Pipeline.Api.Http;
using Pipeline.Registry.Truth;

namespace Pipeline.Api.Crates;

/// <summary>Writes crate objects: keys and their order as crates-io-behaviour §1.10. Downloads are not counted by this registry.</summary>
public static class CrateJson
{
    private const string NoVersion = "0.0.0";

    /// <summary>Writes a crate object as a value.</summary>
    /// <param name="json">Where to.</param>
    /// <param name="crate">The crate.</param>
    /// <param name="exactMatch">Whether a search asked for exactly this name.</param>
    /// <param name="versionIds">The ids of its versions, where they are part of the answer; else null.</param>
    /// <param name="withLists">Whether keywords and categories are shown; else they are null.</param>
    public static void Write(Utf8JsonWriter json, CrateObject crate, bool exactMatch = false, IReadOnlyList<long>? versionIds = null, bool withLists = false)
    {
        ArgumentNullException.ThrowIfNull(json);
        ArgumentNullException.ThrowIfNull(crate);
        json.WriteStartObject();
        json.WriteString("id", crate.Name);
        json.WriteString("name", crate.Name);
        json.WriteTime("updated_at", crate.UpdatedAt);
        WriteIds(json, versionIds);
        WriteList(json, "keywords", withLists ? crate.Keywords : null);
        WriteList(json, "categories", withLists ? crate.Categories : null);
        json.WriteStartArray("badges");
        json.WriteEndArray();
        json.WriteTime("created_at", crate.CreatedAt);
        json.WriteNumber("downloads", 0);
        json.WriteNull("recent_downloads");
        WriteVersions(json, crate);
        json.WriteString("description", crate.Description);
        json.WriteString("homepage", crate.Homepage);
        json.WriteString("documentation", crate.Documentation);
        json.WriteString("repository", crate.Repository);
        WriteLinks(json, crate.Name, versionIds is null);
        json.WriteBoolean("exact_match", exactMatch);
        json.WriteBoolean("trustpub_only", false);
        json.WriteEndObject();
    }

    private static void WriteIds(Utf8JsonWriter json, IReadOnlyList<long>? ids)
    {
        if (ids is null)
        {
            json.WriteNull("versions");
            return;
        }

        json.WriteStartArray("versions");
        foreach (var id in ids) json.WriteNumberValue(id);
        json.WriteEndArray();
    }

    private static void WriteList(Utf8JsonWriter json, string name, string? list)
    {
        json.WritePropertyName(name);
        // Stored lists were written by a serialiser of ours.
        if (list is null) json.WriteNullValue();
        else json.WriteRawValue(list, skipInputValidation: true);
    }

    private static void WriteVersions(Utf8JsonWriter json, CrateObject crate)
    {
        json.WriteString("default_version", crate.DefaultVersion);
        json.WriteNumber("num_versions", crate.NumVersions);
        json.WriteBoolean("yanked", DefaultVersion.IsYanked(crate.DefaultRank));
        json.WriteString("max_version", crate.MaxVersion ?? NoVersion);
        json.WriteString("newest_version", crate.NewestVersion ?? NoVersion);
        // A default that is in force and stable is the highest of that sort (§7.2).
        json.WriteString("max_stable_version", DefaultVersion.IsStable(crate.DefaultRank) ? crate.DefaultVersion : null);
    }

    private static void WriteLinks(Utf8JsonWriter json, string name, bool withVersions)
    {
        var crate = $"/api/v1/crates/{name}";
        json.WriteStartObject("links");
        json.WriteString("version_downloads", $"{crate}/downloads");
        json.WriteString("versions", withVersions ? $"{crate}/versions" : null);
        json.WriteString("owners", $"{crate}/owners");
        json.WriteString("owner_team", $"{crate}/owner_team");
        json.WriteString("owner_user", $"{crate}/owner_user");
        json.WriteString("reverse_dependencies", $"{crate}/reverse_dependencies");
        json.WriteEndObject();
    }
}
