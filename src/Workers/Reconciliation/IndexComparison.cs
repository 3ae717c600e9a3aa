using System.Text.Json;
using Pipeline.Contracts.Upkeep;

namespace Pipeline.Workers.Reconciliation;

/// <summary>Something that differs in one index file.</summary>
/// <param name="Kind">What.</param>
/// <param name="Num">The version; null: the whole file.</param>
/// <param name="Detail">More of it, for people.</param>
public sealed record LineDifference(DifferenceKind Kind, string? Num, string? Detail);

/// <summary>Compares an index file with what it should be: bytes in, differences out.</summary>
public static class IndexComparison
{
    // A file has some thousand lines at most; what one difference says is enough to look at the rest.
    private const int Most = 100;

    /// <summary>Names what differs between the file that the database gives and the one that was found.</summary>
    /// <param name="truth">The bytes as the database gives them; null: there is to be no file.</param>
    /// <param name="found">The bytes that were found; null: no file.</param>
    /// <returns>The differences, at most 100; none: the bytes are equal.</returns>
    public static IReadOnlyList<LineDifference> Compare(byte[]? truth, byte[]? found)
    {
        if (truth is null && found is null) return [];
        if (truth is null) return [new LineDifference(DifferenceKind.ExtraInIndex, null, $"{Lines(found).Count} lines")];
        if (found is null) return [new LineDifference(DifferenceKind.MissingInIndex, null, $"{Lines(truth).Count} lines")];
        if (truth.AsSpan().SequenceEqual(found)) return [];

        var differences = new List<LineDifference>();
        var (there, shown) = (new Dictionary<string, Line>(StringComparer.Ordinal), new HashSet<string>(StringComparer.Ordinal));
        foreach (var line in Lines(truth)) there[line.Num ?? ""] = line;
        foreach (var line in Lines(found))
        {
            if (line.Num is null) differences.Add(new LineDifference(DifferenceKind.LineDiffers, null, "a line that cannot be read"));
            else if (!there.TryGetValue(line.Num, out var right)) differences.Add(new LineDifference(DifferenceKind.ExtraInIndex, line.Num, null));
            else if (!shown.Add(line.Num)) differences.Add(new LineDifference(DifferenceKind.LineDiffers, line.Num, "twice"));
            else if (Of(right, line) is { } difference) differences.Add(difference);
        }

        differences.AddRange(there.Keys.Where(num => !shown.Contains(num)).Select(static num => new LineDifference(DifferenceKind.MissingInIndex, num, null)));
        if (differences.Count == 0) differences.Add(new LineDifference(DifferenceKind.LineDiffers, null, "the lines stand in another order, or end otherwise"));
        return differences.Count <= Most ? differences : differences.GetRange(0, Most);
    }

    /// <summary>The numbers of the versions that a file shows; what cannot be read is left out.</summary>
    public static IReadOnlyList<string> Versions(ReadOnlyMemory<byte> file) => [.. Lines(file).Select(static line => line.Num).OfType<string>()];

    // A yank and other bytes for one number are told from anything else: the first is everyday, the second must never be.
    private static LineDifference? Of(Line truth, Line found)
    {
        if (truth.Bytes.Span.SequenceEqual(found.Bytes.Span)) return null;
        if (truth.Checksum != found.Checksum) return new LineDifference(DifferenceKind.ChecksumDiffers, truth.Num, $"{found.Checksum ?? "none"} instead of {truth.Checksum}");
        return truth.Yanked != found.Yanked
            ? new LineDifference(DifferenceKind.YankDiffers, truth.Num, found.Yanked == true ? "shown as yanked" : "not shown as yanked")
            : new LineDifference(DifferenceKind.LineDiffers, truth.Num, null);
    }

    private static List<Line> Lines(ReadOnlyMemory<byte> file)
    {
        var lines = new List<Line>();
        for (var rest = file; rest.Length > 0;)
        {
            var end = rest.Span.IndexOf((byte)'\n');
            var bytes = end < 0 ? rest : rest[..end];
            rest = end < 0 ? default : rest[(end + 1)..];
            lines.Add(Read(bytes));
        }

        return lines;
    }

    private static Line Read(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            using var json = JsonDocument.Parse(bytes);
            var root = json.RootElement;
            if (root.ValueKind != JsonValueKind.Object) return new Line(bytes, null, null, null);
            return new Line(bytes, Text(root, "vers"), Text(root, "cksum"), root.TryGetProperty("yanked", out var yanked) ? yanked.ValueKind == JsonValueKind.True : null);
        }
        catch (JsonException)
        {
            // Reported as a line that cannot be read: whoever wrote it, it was not us.
            return new Line(bytes, null, null, null);
        }
    }

    private static string? Text(JsonElement root, string name) => root.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private sealed record Line(ReadOnlyMemory<byte> Bytes, string? Num, string? Checksum, bool? Yanked);
}
