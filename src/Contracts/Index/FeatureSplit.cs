using System.Collections;

namespace Pipeline.Contracts.Index;

/// <summary>
/// Parts a crate's features into <c>features</c>, which every cargo reads, and <c>features2</c>, which hides newer syntax from a cargo that
/// would choke on it (crates-io-behaviour §3.4).
/// </summary>
internal static class FeatureSplit
{
    /// <summary>After this many steps along a chain of features the rule book stops looking.</summary>
    private const int MaxRounds = 100;

    /// <summary>
    /// Says for each feature whether it goes to <c>features2</c>: it uses the new syntax, or enables, over at most 100 plain feature names,
    /// one that does. Null when none does.
    /// </summary>
    /// <remarks>
    /// The rule is a loop over all values until nothing moves; walking backwards from the features that use the syntax gives the same answer
    /// in one pass, so that a manifest with long chains costs no more than another.
    /// </remarks>
    public static BitArray? Find(IReadOnlyList<KeyValuePair<string, IReadOnlyList<string>>> features)
    {
        BitArray? moved = null;
        var frontier = new List<int>();
        for (var i = 0; i < features.Count; i++)
        {
            if (!UsesNewSyntax(features[i].Value))
                continue;
            moved ??= new BitArray(features.Count);
            moved[i] = true;
            frontier.Add(i);
        }

        if (moved is null)
            return null;
        var enabledBy = Reverse(features);
        for (var round = 0; round < MaxRounds && frontier.Count > 0; round++)
            frontier = Step(features, enabledBy, moved, frontier);
        return moved;
    }

    private static bool UsesNewSyntax(IReadOnlyList<string> values)
    {
        foreach (var value in values)
        {
            if (value.StartsWith("dep:", StringComparison.Ordinal) || value.Contains("?/", StringComparison.Ordinal))
                return true;
        }

        return false;
    }

    private static Dictionary<string, List<int>> Reverse(IReadOnlyList<KeyValuePair<string, IReadOnlyList<string>>> features)
    {
        var enabledBy = new Dictionary<string, List<int>>(StringComparer.Ordinal);
        for (var i = 0; i < features.Count; i++)
        {
            foreach (var value in features[i].Value)
            {
                if (!enabledBy.TryGetValue(value, out var users))
                    enabledBy[value] = users = [];
                users.Add(i);
            }
        }

        return enabledBy;
    }

    private static List<int> Step(
        IReadOnlyList<KeyValuePair<string, IReadOnlyList<string>>> features,
        Dictionary<string, List<int>> enabledBy,
        BitArray moved,
        List<int> frontier)
    {
        var next = new List<int>();
        foreach (var reached in frontier)
        {
            if (!enabledBy.TryGetValue(features[reached].Key, out var users))
                continue;
            foreach (var user in users)
            {
                if (moved[user])
                    continue;
                moved[user] = true;
                next.Add(user);
            }
        }

        return next;
    }
}
