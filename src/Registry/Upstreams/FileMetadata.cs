using System.Text.Json.Serialization;

namespace Pipeline.Registry.Upstreams;

/// <summary>What the manifest of a fetched file says of its version: strangers wrote it, and no rule of ours was asked.</summary>
public sealed record FileMetadata
{
    /// <summary><c>package.description</c>.</summary>
    public string? Description { get; init; }

    /// <summary><c>package.homepage</c>, an http or https URL.</summary>
    public string? Homepage { get; init; }

    /// <summary><c>package.documentation</c>, an http or https URL.</summary>
    public string? Documentation { get; init; }

    /// <summary><c>package.repository</c>, an http or https URL.</summary>
    public string? Repository { get; init; }

    /// <summary><c>package.license</c>.</summary>
    public string? License { get; init; }

    /// <summary><c>package.edition</c>.</summary>
    public string? Edition { get; init; }

    /// <summary><c>package.keywords</c>.</summary>
    public IReadOnlyList<string> Keywords { get; init; } = [];

    /// <summary><c>package.categories</c>.</summary>
    public IReadOnlyList<string> Categories { get; init; } = [];
}

/// <summary>The stored form of <see cref="FileMetadata"/>: compact JSON, camel case, nulls left out. Fields are only ever added.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(FileMetadata))]
public sealed partial class FileMetadataJson : JsonSerializerContext;
