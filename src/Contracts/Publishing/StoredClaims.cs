using System.Text.Json.Serialization;

namespace Pipeline.Contracts.Publishing;

/// <summary>What the pipeline keeps of the publish JSON beside name and version. Everything else is read from the manifest.</summary>
/// <param name="Dependencies">What it says of dependencies that live in other registries; those that live here may be left out.</param>
/// <param name="Readme">The README's source text.</param>
/// <param name="ReadmeFile">The README's path.</param>
/// <param name="AllowMissingDependencies">An operator's import: dependencies need not be known here yet.</param>
/// <param name="PublicUrl">The URL of the API that took the publish: its index is this registry's own, whatever the worker's configuration calls it.</param>
public sealed record StoredClaims(
    IReadOnlyList<ClaimedDependency> Dependencies, string? Readme, string? ReadmeFile, bool AllowMissingDependencies, string? PublicUrl = null);

/// <summary>The stored form of <see cref="StoredClaims"/>. Fields are only ever added.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, UseStringEnumConverter = true)]
[JsonSerializable(typeof(StoredClaims))]
public sealed partial class StoredClaimsJson : JsonSerializerContext;
