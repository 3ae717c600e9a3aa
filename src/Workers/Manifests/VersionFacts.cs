using System.Text.Json;
using Pipeline.Contracts.Index;
using Pipeline.Contracts.Publishing;
using Pipeline.Registry.Store;
using Pipeline.Registry.Truth;

namespace Pipeline.Workers.Manifests;

/// <summary>A version ready to be recorded: every column of its row that does not come from the database.</summary>
public sealed record VersionFacts
{
    /// <summary>The publish it comes with.</summary>
    public required PublishRow Publish { get; init; }

    /// <summary>What the rules made of the manifest.</summary>
    public required Release Release { get; init; }

    /// <summary>What target inference found.</summary>
    public required InferredTargets Targets { get; init; }

    /// <summary>What the publish JSON claimed.</summary>
    public required StoredClaims Claims { get; init; }

    /// <summary>The index line up to the value of <c>yanked</c>.</summary>
    public required string EntryHead { get; init; }

    /// <summary>The index line from behind that value.</summary>
    public required string EntryTail { get; init; }

    /// <summary>The dependencies as JSON, for the API.</summary>
    public required string Dependencies { get; init; }

    /// <summary>The features as JSON, unsplit.</summary>
    public required string Features { get; init; }

    /// <summary>Where the bytes go.</summary>
    public string ObjectKey => StoreKeys.Crate(Publish.Name, Publish.Num);

    /// <summary>Renders what a row needs.</summary>
    public static VersionFacts Of(PublishRow publish, Release release, InferredTargets targets, StoredClaims claims)
    {
        ArgumentNullException.ThrowIfNull(publish);
        ArgumentNullException.ThrowIfNull(release);
        var entry = new IndexEntry(publish.Name, publish.Num, release.Dependencies, publish.Checksum, release.Features, false, release.Links, release.RustVersion);
        var (head, tail) = IndexLine.RenderSplit(entry);
        return new VersionFacts
        {
            Publish = publish,
            Release = release,
            Targets = targets,
            Claims = claims,
            EntryHead = head,
            EntryTail = tail,
            Dependencies = DependencyJson.Write(release.Dependencies),
            Features = FeaturesJson(release.Features),
        };
    }

    private static string FeaturesJson(IReadOnlyList<KeyValuePair<string, IReadOnlyList<string>>> features) =>
        features.Count == 0 ? "{}" : JsonSerializer.Serialize(new Dictionary<string, IReadOnlyList<string>>(features, StringComparer.Ordinal), VersionJson.Default.DictionaryStringIReadOnlyListString);
}
