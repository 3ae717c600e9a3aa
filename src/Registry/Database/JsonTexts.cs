using System.Text.Json;
using System.Text.Json.Serialization;

namespace Pipeline.Registry.Database;

/// <summary>Columns that hold a JSON list of texts: scopes, keywords, categories, binary names.</summary>
public static partial class JsonTexts
{
    /// <summary>The texts of a stored list.</summary>
    public static string[] Read(string json) =>
        json == "[]" ? [] : JsonSerializer.Deserialize(json, Shape.Default.StringArray) ?? throw new InvalidDataException("a stored list is null");

    /// <summary>A list as it is stored.</summary>
    public static string Write(IEnumerable<string> texts) => JsonSerializer.Serialize([.. texts], Shape.Default.StringArray);

    [JsonSerializable(typeof(string[]))]
    private sealed partial class Shape : JsonSerializerContext;
}
