using Pipeline.Contracts;

namespace Pipeline.Workers.Manifests;

/// <summary>The rules for <c>[features]</c> (crates-io-behaviour §1.4 rows 30 to 33).</summary>
internal static class FeatureTableRules
{
    private const string AskForMore =
        "\n\nIf you have a use case that requires an increase of this limit, please contact the operators of this registry to discuss the details.";

    /// <summary>The first rule that is broken, or null.</summary>
    /// <param name="features">The features, byte-sorted by name.</param>
    /// <param name="max">The most features, and the most values of one.</param>
    public static Reject? Check(IReadOnlyList<KeyValuePair<string, IReadOnlyList<string>>> features, int max)
    {
        if (features.Count > max)
        {
            return TooMany($"this registry only allows a maximum number of {max} features, " +
                $"but your crate is declaring {features.Count} features.");
        }

        foreach (var (name, values) in features)
        {
            if ((FeatureRules.CheckName(name) ?? CheckValues(name, values, max)) is { } reject)
                return reject;
        }

        return null;
    }

    private static Reject? CheckValues(string name, IReadOnlyList<string> values, int max)
    {
        if (values.Count > max)
        {
            return TooMany($"this registry only allows a maximum number of {max} features or dependencies that another feature can enable, " +
                $"but the \"{name}\" feature of your crate is enabling {values.Count} features or dependencies.");
        }

        foreach (var value in values)
        {
            if (FeatureRules.CheckValue(value) is { } reject)
                return reject;
        }

        return null;
    }

    private static Reject TooMany(Sentence text) => new(RejectCodes.InvalidFeature, 400, text.ToText() + AskForMore);
}
