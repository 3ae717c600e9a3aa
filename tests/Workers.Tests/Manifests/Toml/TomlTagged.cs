using System.Globalization;
using System.Text.Json;
using Pipeline.Workers.Manifests.Toml;

namespace Pipeline.Workers.Tests.Manifests.Toml;

/// <summary>Compares a document with the tagged tree of a toml-test case.</summary>
internal static class TomlTagged
{
    /// <summary>What differs, as a path and two values; null when nothing does.</summary>
    public static string? Difference(TomlValue actual, JsonElement expected, string path = "$")
    {
        if (expected.ValueKind == JsonValueKind.Array)
            return DifferenceOfArrays(actual, expected, path);
        if (IsScalar(expected))
            return DifferenceOfScalars(actual, expected, path);
        return DifferenceOfTables(actual, expected, path);
    }

    private static bool IsScalar(JsonElement expected) =>
        expected.TryGetProperty("type", out var type) && type.ValueKind == JsonValueKind.String
        && expected.TryGetProperty("value", out var value) && value.ValueKind == JsonValueKind.String;

    private static string? DifferenceOfTables(TomlValue actual, JsonElement expected, string path)
    {
        if (actual is not TomlTable table || table.Count != expected.EnumerateObject().Count())
            return $"{path}: {actual.GetType().Name} is not the table {expected}";
        foreach (var property in expected.EnumerateObject())
        {
            if (!table.TryGetValue(property.Name, out var value))
                return $"{path}: no key {property.Name}";
            if (Difference(value, property.Value, $"{path}.{property.Name}") is { } difference)
                return difference;
        }
        return null;
    }

    private static string? DifferenceOfArrays(TomlValue actual, JsonElement expected, string path)
    {
        if (actual is not TomlArray array || array.Count != expected.GetArrayLength())
            return $"{path}: {actual.GetType().Name} is not the array {expected}";
        for (var at = 0; at < array.Count; at++)
        {
            if (Difference(array[at], expected[at], $"{path}[{at}]") is { } difference)
                return difference;
        }
        return null;
    }

    private static string? DifferenceOfScalars(TomlValue actual, JsonElement expected, string path)
    {
        var type = expected.GetProperty("type").GetString();
        var value = expected.GetProperty("value").GetString()!;
        var same = actual switch
        {
            TomlString found => type == "string" && found.Value == value,
            TomlInteger found => type == "integer" && found.Value == long.Parse(value, CultureInfo.InvariantCulture),
            TomlFloat found => type == "float" && found.Value.Equals(Float(value)),
            TomlBoolean found => type == "bool" && found.ToString() == value,
            TomlDateTime found => type == Tag(found.Kind) && found.ToString() == Normalised(value),
            _ => false,
        };
        return same ? null : $"{path}: {actual} is not {type} {value}";
    }

    private static double Float(string value) => value.TrimStart('+', '-') switch
    {
        "inf" => value[0] == '-' ? double.NegativeInfinity : double.PositiveInfinity,
        "nan" => double.NaN,
        _ => double.Parse(value, CultureInfo.InvariantCulture),
    };

    private static string Tag(TomlDateTimeKind kind) => kind switch
    {
        TomlDateTimeKind.OffsetDateTime => "datetime",
        TomlDateTimeKind.LocalDateTime => "datetime-local",
        TomlDateTimeKind.LocalDate => "date-local",
        _ => "time-local",
    };

    // The cases keep a fraction's trailing zeros, and may write offset 0 in figures.
    private static string Normalised(string value)
    {
        var text = value.Replace("+00:00", "Z", StringComparison.Ordinal).Replace("-00:00", "Z", StringComparison.Ordinal);
        var dot = text.IndexOf('.', StringComparison.Ordinal);
        if (dot < 0)
            return text;
        var end = text.AsSpan(dot + 1).IndexOfAnyExceptInRange('0', '9');
        var fraction = end < 0 ? text[dot..] : text[dot..(dot + 1 + end)];
        return text[..dot] + fraction.TrimEnd('0').TrimEnd('.') + text[(dot + fraction.Length)..];
    }
}
