using System.Text.Json.Serialization;

namespace Pipeline.Workers.Manifests;

/// <summary>The JSON columns of a version's row.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(Dictionary<string, IReadOnlyList<string>>))]
[JsonSerializable(typeof(IReadOnlyList<string>))]
[JsonSerializable(typeof(VersionRecord))]
[JsonSerializable(typeof(string))]
internal sealed partial class VersionJson : JsonSerializerContext;
