using System.Text;

namespace Pipeline.Contracts.Index;

/// <summary>Renders a version to the exact text of its index line (crates-io-behaviour §3.1 to §3.4), without the line's end.</summary>
public static class IndexLine
{
    /// <summary>The whole line as UTF-8, <paramref name="entry"/>'s yank state included.</summary>
    /// <exception cref="ArgumentException">A feature is listed twice: the manifest's reader has failed, and cargo would refuse the line.</exception>
    public static byte[] Render(IndexEntry entry)
    {
        ArgumentNullException.ThrowIfNull(entry);
        var (head, tail) = RenderSplit(entry);
        return Encoding.UTF8.GetBytes(head + Flag(entry.Yanked) + tail);
    }

    /// <summary>
    /// The line without the one word in it that can ever change: head + (<c>true</c>|<c>false</c>) + tail is the line. The entry's own yank
    /// state is not looked at.
    /// </summary>
    /// <exception cref="ArgumentException">A feature is listed twice.</exception>
    public static (string Head, string Tail) RenderSplit(IndexEntry entry)
    {
        ArgumentNullException.ThrowIfNull(entry);
        var features = SortedFeatures(entry.Features);
        var second = FeatureSplit.Find(features);

        var json = new StringBuilder(256 + (160 * entry.Deps.Count) + (40 * features.Length));
        json.Append("{\"name\":").AppendJson(entry.Name);
        json.Append(",\"vers\":").AppendJson(entry.Vers);
        json.Append(",\"deps\":[");
        AppendDependencies(json, entry.Deps);
        json.Append("],\"cksum\":").AppendJson(entry.Cksum);
        json.Append(",\"features\":");
        AppendFeatures(json, features, i => second is null || !second[i]);
        if (second is not null)
        {
            json.Append(",\"features2\":");
            AppendFeatures(json, features, i => second[i]);
        }

        var head = json.Append(",\"yanked\":").ToString();
        json.Clear();
        if (entry.Links is not null)
            json.Append(",\"links\":").AppendJson(entry.Links);
        if (entry.RustVersion is not null)
            json.Append(",\"rust_version\":").AppendJson(entry.RustVersion);
        if (second is not null)
            json.Append(",\"v\":2");
        return (head, json.Append('}').ToString());
    }

    /// <summary>How a yank state is spelled between head and tail.</summary>
    internal static string Flag(bool yanked) => yanked ? "true" : "false";

    private static KeyValuePair<string, IReadOnlyList<string>>[] SortedFeatures(
        IReadOnlyList<KeyValuePair<string, IReadOnlyList<string>>> features)
    {
        KeyValuePair<string, IReadOnlyList<string>>[] sorted = [.. features];
        Array.Sort(sorted, static (x, y) => Utf8Order.Instance.Compare(x.Key, y.Key));
        for (var i = 1; i < sorted.Length; i++)
        {
            if (sorted[i].Key == sorted[i - 1].Key)
                throw new ArgumentException($"feature `{sorted[i].Key}` is listed twice", nameof(features));
        }

        return sorted;
    }

    private static void AppendFeatures(StringBuilder json, KeyValuePair<string, IReadOnlyList<string>>[] features, Func<int, bool> wanted)
    {
        json.Append('{');
        var first = true;
        for (var i = 0; i < features.Length; i++)
        {
            if (!wanted(i))
                continue;
            if (!first)
                json.Append(',');
            first = false;
            json.AppendJson(features[i].Key).Append(':').AppendJson(features[i].Value);
        }

        json.Append('}');
    }

    private static void AppendDependencies(StringBuilder json, IReadOnlyList<IndexDependency> dependencies)
    {
        IndexDependency[] sorted = [.. dependencies];
        Array.Sort(sorted, DependencyOrder.Instance);
        for (var i = 0; i < sorted.Length; i++)
        {
            if (i > 0)
                json.Append(',');
            AppendDependency(json, sorted[i]);
        }
    }

    private static void AppendDependency(StringBuilder json, IndexDependency dependency)
    {
        json.Append("{\"name\":").AppendJson(dependency.Name);
        json.Append(",\"req\":").AppendJson(dependency.Req);
        json.Append(",\"features\":").AppendJson(dependency.Features);
        json.Append(",\"optional\":").Append(Flag(dependency.Optional));
        json.Append(",\"default_features\":").Append(Flag(dependency.DefaultFeatures));
        json.Append(",\"target\":");
        if (dependency.Target is null)
            json.Append("null");
        else
            json.AppendJson(dependency.Target);
        json.Append(",\"kind\":").AppendJson(KindName(dependency.Kind));
        if (dependency.Registry is not null)
            json.Append(",\"registry\":").AppendJson(dependency.Registry);
        if (dependency.Package is not null)
            json.Append(",\"package\":").AppendJson(dependency.Package);
        json.Append('}');
    }

    private static string KindName(DependencyKind kind) => kind switch
    {
        DependencyKind.Normal => "normal",
        DependencyKind.Build => "build",
        DependencyKind.Dev => "dev",
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "no such kind of dependency"),
    };
}
