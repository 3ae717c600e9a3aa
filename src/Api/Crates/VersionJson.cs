using System.Text.Json;
using Pipeline.Api.Http;
using Pipeline.Registry.Options;

namespace Pipeline.Api.Crates;

/// <summary>Writes version objects: keys and their order as crates-io-behaviour §6.6.</summary>
public static class VersionJson
{
    /// <summary>Writes a version object as a value.</summary>
    /// <param name="json">Where to.</param>
    /// <param name="version">The version.</param>
    /// <param name="actions">What was done to it, oldest first.</param>
    /// <param name="options">Names the registry in links.</param>
    public static void Write(Utf8JsonWriter json, VersionObject version, IEnumerable<VersionAction> actions, RegistryOptions options)
    {
        ArgumentNullException.ThrowIfNull(json);
        ArgumentNullException.ThrowIfNull(version);
        ArgumentNullException.ThrowIfNull(actions);
        json.WriteStartObject();
        json.WriteNumber("id", version.Id);
        json.WriteString("crate", version.Crate);
        json.WriteString("num", version.Num);
        var path = $"/api/v1/crates/{version.Crate}/{version.Num}";
        json.WriteString("dl_path", $"{path}/download");
        json.WriteString("readme_path", $"{path}/readme");
        json.WriteTime("updated_at", version.UpdatedAt);
        json.WriteTime("created_at", version.CreatedAt);
        json.WriteNumber("downloads", 0);
        json.WritePropertyName("features");
        json.WriteRawValue(version.Features, skipInputValidation: true);
        json.WriteBoolean("yanked", version.Yanked);
        json.WriteString("yank_message", version.YankMessage);
        json.WriteString("lib_links", version.Links);
        json.WriteString("license", version.License);
        WriteLinks(json, path);
        json.WriteNumber("crate_size", version.Size);
        WritePublisher(json, version, options);
        WriteActions(json, actions, options);
        WriteFacts(json, version);
        json.WriteEndObject();
    }

    /// <summary>Writes versions as a list, each with its part of the actions.</summary>
    public static void WriteList(Utf8JsonWriter json, string property, IReadOnlyList<VersionObject> versions, IEnumerable<VersionAction> actions, RegistryOptions options)
    {
        ArgumentNullException.ThrowIfNull(json);
        ArgumentNullException.ThrowIfNull(versions);
        var byVersion = actions.ToLookup(static action => action.VersionId);
        json.WriteStartArray(property);
        foreach (var version in versions) Write(json, version, byVersion[version.Id], options);
        json.WriteEndArray();
    }

    private static void WriteLinks(Utf8JsonWriter json, string path)
    {
        json.WriteStartObject("links");
        json.WriteString("dependencies", $"{path}/dependencies");
        json.WriteString("version_downloads", $"{path}/downloads");
        json.WriteString("authors", $"{path}/authors");
        json.WriteEndObject();
    }

    private static void WritePublisher(Utf8JsonWriter json, VersionObject version, RegistryOptions options)
    {
        if (version.PublishedBy is { } user) UserJson.Write(json, "published_by", user.Id, user.Login, user.Name, options);
        else json.WriteNull("published_by");
    }

    private static void WriteActions(Utf8JsonWriter json, IEnumerable<VersionAction> actions, RegistryOptions options)
    {
        json.WriteStartArray("audit_actions");
        foreach (var action in actions)
        {
            json.WriteStartObject();
            json.WriteString("action", action.Action);
            UserJson.Write(json, "user", action.UserId, action.Login, action.Name, options);
            json.WriteTime("time", action.At);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteFacts(Utf8JsonWriter json, VersionObject version)
    {
        json.WriteString("checksum", version.Checksum);
        json.WriteString("rust_version", version.RustVersion);
        json.WriteBoolean("has_lib", version.HasLib);
        json.WritePropertyName("bin_names");
        json.WriteRawValue(version.BinNames, skipInputValidation: true);
        json.WriteString("edition", version.Edition);
        json.WriteString("description", version.Description);
        json.WriteString("homepage", version.Homepage);
        json.WriteString("documentation", version.Documentation);
        json.WriteString("repository", version.Repository);
        json.WriteNull("trustpub_data");
        json.WriteNull("linecounts");
    }
}
