using System.Globalization;
using System.Reflection;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Pipeline.Api.Git;
using Pipeline.Contracts;
using Pipeline.Registry.Bus;
using Pipeline.Registry.Cdn;
using Pipeline.Registry.Database;
using Pipeline.Registry.Git;
using Pipeline.Registry.Options;
using Pipeline.Registry.Schedules;
using Pipeline.Registry.Store;
using Pipeline.Registry.Telemetry;

namespace Pipeline.Cli.Hosting;

/// <summary>
/// Which configuration keys there are, in every process alike: also one that a process does not read, or whose whole section is misspelt, is
/// refused, and not passed over in silence.
/// </summary>
internal static class ConfigurationKeys
{
    private const string Logging = "Logging";

    private static readonly Dictionary<string, Type> Sections = new(StringComparer.OrdinalIgnoreCase)
    {
        ["Registry"] = typeof(RegistryOptions),
        ["Publish"] = typeof(PublishOptions),
        ["RateLimits"] = typeof(RateLimitOptions),
        ["Workers"] = typeof(WorkerOptions),
        ["Database"] = typeof(DatabaseOptions),
        ["Store"] = typeof(StoreOptions),
        ["Bus"] = typeof(BusOptions),
        ["GitIndex"] = typeof(GitIndexOptions),
        ["GitServe"] = typeof(GitServeOptions),
        ["Telemetry"] = typeof(TelemetryOptions),
        ["Cdn"] = typeof(CdnOptions),
        ["Notices"] = typeof(NoticeOptions),
        ["Upstreams"] = typeof(UpstreamOptions),
        ["Mail"] = typeof(MailOptions),
        ["Schedules"] = typeof(ScheduleOptions),
        ["Upkeep"] = typeof(UpkeepOptions),
        ["Mirror"] = typeof(MirrorOptions),
    };

    /// <summary>The options record of each section.</summary>
    public static IReadOnlyCollection<Type> Records => Sections.Values;

    /// <summary>What is wrong with the keys, as a sentence that names the first; null: nothing.</summary>
    public static string? Problem(IConfiguration configuration)
    {
        foreach (var (key, value) in configuration.AsEnumerable())
        {
            if (value is null) continue;
            if (!Exists(key)) return $"there is no configuration key {Quoted.Value(key)}; ops/config.md lists them all";
            if (IsLevel(key) && !Enum.TryParse<LogLevel>(value, ignoreCase: true, out _)) return $"{Quoted.Value(key)} is one of {string.Join(", ", Enum.GetNames<LogLevel>())}";
        }

        return null;
    }

    /// <summary>Whether there is a key.</summary>
    public static bool Exists(string key)
    {
        var parts = key.Split(':');
        // The framework's own section: any category may be named in it.
        if (parts[0].Equals(Logging, StringComparison.OrdinalIgnoreCase)) return parts.Length > 1 && parts.All(static part => part.Length > 0);
        return Sections.TryGetValue(parts[0], out var record) && Leads(record, parts.AsSpan(1));
    }

    private static bool IsLevel(string key) =>
        key.Split(':') is [var first, .., var parent, _] && first.Equals(Logging, StringComparison.OrdinalIgnoreCase) && parent.Equals("LogLevel", StringComparison.OrdinalIgnoreCase);

    private static bool Leads(Type type, ReadOnlySpan<string> path)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        if (ElementOf(type) is { } element)
            // An empty list is written as an empty value.
            return path.Length == 0 || (path[0].Length > 0 && (IsDictionary(type) || int.TryParse(path[0], NumberStyles.None, CultureInfo.InvariantCulture, out _)) && Leads(element, path[1..]));
        if (type.Namespace?.StartsWith("Pipeline.", StringComparison.Ordinal) != true || type.IsEnum || type == typeof(Secret)) return path.Length == 0;
        if (path.Length == 0) return false;
        var property = type.GetProperty(path[0], BindingFlags.Public | BindingFlags.Instance | BindingFlags.IgnoreCase);
        return property is { CanWrite: true } && Leads(property.PropertyType, path[1..]);
    }

    private static bool IsDictionary(Type type) => type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IReadOnlyDictionary<,>);

    private static Type? ElementOf(Type type) =>
        type.IsGenericType && (type.GetGenericTypeDefinition() == typeof(IReadOnlyList<>) || IsDictionary(type)) ? type.GetGenericArguments()[^1] : null;
}
