using System.Text.Json;
using Pipeline.Contracts;

namespace Pipeline.Workers.GitIndex;

/// <summary>
/// The order of a batch's commits: that of the changes, but what a crate's lines need comes before it, so that no commit names a crate which
/// no earlier one has. The two differ only where one commit covers several changes of a crate: its place is that of the oldest, its lines
/// are those of the newest. Values in, decision out.
/// </summary>
public static class CommitOrder
{
    /// <summary>Whether a crate's lines may need what was made after the change that gives it its place.</summary>
    public static bool MayNeedLater(LaggingCrate crate)
    {
        ArgumentNullException.ThrowIfNull(crate);
        return crate is { Content: not null, Causes.Count: > 1 };
    }

    /// <summary>Orders a page. Crates that need each other keep the order of their changes.</summary>
    /// <param name="crates">The page in change order; those taken ahead of their turn stand last.</param>
    /// <param name="ahead">The ids of those taken ahead.</param>
    public static IReadOnlyList<LaggingCrate> Of(IReadOnlyList<LaggingCrate> crates, IReadOnlySet<long> ahead)
    {
        ArgumentNullException.ThrowIfNull(crates);
        ArgumentNullException.ThrowIfNull(ahead);
        if (ahead.Count == 0 && !crates.Any(MayNeedLater)) return crates;
        var byName = new Dictionary<string, LaggingCrate>(crates.Count, StringComparer.Ordinal);
        foreach (var crate in crates) byName[CanonicalName.Of(crate.Name).Text] = crate;
        var (ordered, begun) = (new List<LaggingCrate>(crates.Count), new HashSet<long>(crates.Count));
        foreach (var crate in crates) Place(crate, inTurn: true);
        return ordered;

        // As deep as a chain of needs within one page.
        void Place(LaggingCrate crate, bool inTurn)
        {
            if (!begun.Add(crate.CrateId)) return;
            if (!inTurn || ahead.Contains(crate.CrateId) || MayNeedLater(crate))
            {
                foreach (var need in NeedsOf(crate))
                {
                    if (byName.TryGetValue(need, out var needed)) Place(needed, inTurn: false);
                }
            }

            ordered.Add(crate);
        }
    }

    /// <summary>The canonical names of the crates of this registry that a crate's lines name.</summary>
    public static IReadOnlySet<string> NeedsOf(LaggingCrate crate)
    {
        ArgumentNullException.ThrowIfNull(crate);
        var needs = new HashSet<string>(StringComparer.Ordinal);
        for (var rest = (ReadOnlyMemory<byte>)(crate.Content ?? []); rest.Length > 0;)
        {
            var end = rest.Span.IndexOf((byte)'\n');
            var line = end < 0 ? rest : rest[..end];
            rest = end < 0 ? default : rest[(end + 1)..];
            if (line.Length > 0) Read(line, needs);
        }

        return needs;
    }

    private static void Read(ReadOnlyMemory<byte> line, HashSet<string> needs)
    {
        try
        {
            using var entry = JsonDocument.Parse(line);
            if (!entry.RootElement.TryGetProperty("deps", out var dependencies)) return;
            foreach (var dependency in dependencies.EnumerateArray())
            {
                if (dependency.TryGetProperty("registry", out var registry) && registry.ValueKind == JsonValueKind.String) continue;
                var name = dependency.TryGetProperty("package", out var package) && package.ValueKind == JsonValueKind.String ? package : dependency.GetProperty("name");
                needs.Add(CanonicalName.Of(name.GetString()!).Text);
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            // A mirrored file is kept as it came: a line of it that nobody can read names nothing.
        }
    }
}
