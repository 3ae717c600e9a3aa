using System.Text.Json.Serialization;

namespace Pipeline.Workers.Records;

/// <summary>The JSON of a crate's record.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(CrateRecord))]
internal sealed partial class CrateRecordJson : JsonSerializerContext;
