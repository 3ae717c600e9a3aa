using System.Text.Json;
using Pipeline.Registry.Database;

namespace Pipeline.Registry.Changes;

/// <summary>Something that happened to a crate, as the change feed and webhooks tell it.</summary>
/// <param name="Id">Its place in the order of changes.</param>
/// <param name="At">When, UTC microseconds.</param>
/// <param name="Kind">One of <see cref="ChangeKinds"/>, or of a newer program.</param>
/// <param name="CrateId">The crate's row; null: it is about no single crate.</param>
/// <param name="Crate">The crate's name at that time.</param>
/// <param name="Version">The version it happened to, with build metadata; null: none.</param>
/// <param name="Revision">The crate's revision since then: it grows by one with each change of the crate.</param>
/// <param name="Data">JSON by kind; null: there is no more to say.</param>
public sealed record Change(long Id, long At, string Kind, long? CrateId, string? Crate, string? Version, long? Revision, string? Data)
{
    /// <summary>The rows of the crates it is about: its own, or those that a sync names in <see cref="Data"/> under <c>crates</c>.</summary>
    public IReadOnlyList<long> CrateIds()
    {
        if (CrateId is { } id) return [id];
        if (Data is null) return [];
        using var data = JsonDocument.Parse(Data);
        return data.RootElement.TryGetProperty("crates", out var crates) ? [.. crates.EnumerateArray().Select(static crate => crate.GetInt64())] : [];
    }

    /// <summary>Writes it as one JSON object.</summary>
    /// <param name="json">Where to.</param>
    /// <param name="epoch">The registry's epoch, which the cursor carries.</param>
    public void Write(Utf8JsonWriter json, string epoch)
    {
        ArgumentNullException.ThrowIfNull(json);
        json.WriteStartObject();
        json.WriteString("cursor", new ChangeCursor(epoch, Id).ToText());
        json.WriteString("kind", Kind);
        json.WriteString("at", Microseconds.Time(At).UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", System.Globalization.CultureInfo.InvariantCulture));
        json.WriteString("crate", Crate);
        json.WriteString("version", Version);
        json.WritePropertyName("revision");
        if (Revision is { } revision) json.WriteNumberValue(revision);
        else json.WriteNullValue();
        json.WritePropertyName("data");
        if (Data is null) json.WriteNullValue();
        else json.WriteRawValue(Data);
        json.WriteEndObject();
    }
}
