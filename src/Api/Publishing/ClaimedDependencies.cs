using System.Text;
using Pipeline.Contracts;
using Pipeline.Contracts.Publishing;

namespace Pipeline.Api.Publishing;

/// <summary>
/// Reads the <c>deps</c> of the publish JSON without ever refusing a publish for them: crates.io does not look at them at all. What has
/// not the expected shape counts as not listed, which means: it lives in this registry.
/// </summary>
internal static class ClaimedDependencies
{
    /// <summary>The most that are kept. A manifest may have 500, so what comes after twice that cannot be its.</summary>
    public const int MaxCount = 1000;

    /// <summary>The dependencies in a value that is sound JSON.</summary>
    public static IReadOnlyList<ClaimedDependency> Read(ReadOnlySpan<byte> deps)
    {
        var cursor = new JsonCursor(deps);
        if (cursor.SkipBlanks() != '[')
            return [];
        cursor.Take();
        var found = new List<ClaimedDependency>();
        while (cursor.SkipBlanks() is not (']' or < 0) && found.Count < MaxCount)
        {
            if (cursor.Peek() == ',')
            {
                cursor.Take();
                cursor.SkipBlanks();
            }

            var start = cursor.Index;
            if (ReadOne(ref cursor) is { } dependency)
            {
                found.Add(dependency);
            }
            else
            {
                cursor.Rewind(start);
                cursor.IgnoreValue();
            }
        }

        return found;
    }

    private static ClaimedDependency? ReadOne(ref JsonCursor cursor)
    {
        if (cursor.Peek() != '{')
            return null;
        cursor.Take();
        string? name = null, explicitName = null, kind = null, target = null, req = null, registry = null;
        while (cursor.SkipBlanks() != '}')
        {
            if (cursor.Peek() == ',')
                cursor.Take();
            cursor.SkipBlanks();
            cursor.Take();
            if (!cursor.ReadString(out var key) || !cursor.Colon())
                return null;
            var isRead = key switch
            {
                _ when key.SequenceEqual("name"u8) => ReadText(ref cursor, out name),
                _ when key.SequenceEqual("explicit_name_in_toml"u8) => ReadText(ref cursor, out explicitName),
                _ when key.SequenceEqual("kind"u8) => ReadText(ref cursor, out kind),
                _ when key.SequenceEqual("target"u8) => ReadText(ref cursor, out target),
                _ when key.SequenceEqual("version_req"u8) => ReadText(ref cursor, out req),
                _ when key.SequenceEqual("registry"u8) => ReadText(ref cursor, out registry),
                _ => cursor.IgnoreValue(),
            };
            if (!isRead)
                return null;
        }

        cursor.Take();
        return name is not null && KindOf(kind) is { } table
            ? new ClaimedDependency(name, explicitName, table, target, req, registry)
            : null;
    }

    private static bool ReadText(ref JsonCursor cursor, out string? text)
    {
        text = null;
        switch (cursor.SkipBlanks())
        {
            case 'n':
                cursor.Take();
                return cursor.Literal("ull"u8);
            case '"':
                cursor.Take();
                if (!cursor.ReadString(out var bytes))
                    return false;
                text = Encoding.UTF8.GetString(bytes);
                return true;
            default:
                return false;
        }
    }

    private static DependencyKind? KindOf(string? kind) => kind switch
    {
        null or "normal" => DependencyKind.Normal,
        "build" => DependencyKind.Build,
        "dev" => DependencyKind.Dev,
        _ => null,
    };
}
