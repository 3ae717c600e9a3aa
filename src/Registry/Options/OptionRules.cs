using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;

namespace Pipeline.Registry.Options;

/// <summary>
/// Which numbers make sense. A property's own bounds stand at it as <see cref="RangeAttribute"/>; without them nothing is negative or endless,
/// and no time is longer than a timer can wait. Found wrong at start, not when a timer is first set.
/// </summary>
internal static class OptionRules
{
    // A timer counts milliseconds in 32 bits.
    private const double MostSeconds = 4_000_000;
    private const double MostHours = 1_000_000;
    private const double MostDays = 40_000;

    /// <summary>What does not hold, as a sentence that names the key; null: all does.</summary>
    public static string? Problem(string section, object options)
    {
        foreach (var property in options.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance))
        {
            if (!property.CanWrite || property.GetValue(options) is not { } value) continue;
            var key = $"{section}:{property.Name}";
            var problem = value switch
            {
                double or int or long => Problem(key, property, Convert.ToDouble(value, CultureInfo.InvariantCulture)),
                IReadOnlyDictionary<string, int> numbers => numbers.Where(static pair => pair.Value < 1).Select(pair => $"{key}:{pair.Key} is at least 1").FirstOrDefault(),
                RateLimit => Problem(key, value),
                _ => null,
            };
            if (problem is not null) return problem;
        }

        return null;
    }

    private static string? Problem(string key, PropertyInfo property, double value)
    {
        var (least, most) = property.GetCustomAttribute<RangeAttribute>() is { } range
            ? (Convert.ToDouble(range.Minimum, CultureInfo.InvariantCulture), Convert.ToDouble(range.Maximum, CultureInfo.InvariantCulture))
            : (0, Most(property));
        if (value >= least && value <= most) return null;
        var bounds = most >= long.MaxValue ? $"at least {Text(least)}" : $"a number from {Text(least)} to {Text(most)}";
        return $"{key} is {bounds}, not {Text(value)}";
    }

    private static double Most(PropertyInfo property) => property.Name switch
    {
        _ when property.PropertyType != typeof(double) && property.PropertyType != typeof(double?) => long.MaxValue,
        var name when name.EndsWith("Hours", StringComparison.Ordinal) => MostHours,
        var name when name.EndsWith("Days", StringComparison.Ordinal) => MostDays,
        _ => MostSeconds,
    };

    private static string Text(double number) => number.ToString("0.#######", CultureInfo.InvariantCulture);
}
