using System.Collections;
using System.Globalization;
using System.Reflection;
using Pipeline.Api.Git;
using Pipeline.Registry.Bus;
using Pipeline.Registry.Cdn;
using Pipeline.Registry.Database;
using Pipeline.Registry.Git;
using Pipeline.Registry.Options;
using Pipeline.Registry.Schedules;
using Pipeline.Registry.Store;
using Pipeline.Registry.Telemetry;

namespace Pipeline.Cli.Tests;

public class ConfigurationTableTests
{
    private static readonly (string Section, object Defaults)[] Sections =
    [
        ("Registry", new RegistryOptions()), ("Publish", new PublishOptions()), ("RateLimits", new RateLimitOptions()), ("Workers", new WorkerOptions()),
        ("Database", new DatabaseOptions()), ("Store", new StoreOptions()), ("Store:S3", new S3Options()), ("Bus", new BusOptions()), ("GitIndex", new GitIndexOptions()), ("GitServe", new GitServeOptions()),
        ("Telemetry", new TelemetryOptions()), ("Cdn", new CdnOptions()), ("Notices", new NoticeOptions()), ("Upstreams", new UpstreamOptions()), ("Mail", new MailOptions()), ("Schedules", new ScheduleOptions()), ("Upkeep", new UpkeepOptions()),
        ("Mirror", new MirrorOptions()),
    ];

    [Fact]
    public void The_table_lists_every_key_with_its_default_and_no_other() =>
        Documented().ShouldBe(Sections.SelectMany(section => Keys(section.Section, section.Defaults)).ToDictionary(), ignoreOrder: true);

    [Fact]
    public void Every_options_record_has_a_section() =>
        new[] { typeof(RegistryOptions), typeof(GitServeOptions) }.SelectMany(one => one.Assembly.GetTypes())
            .Where(type => type.Name.EndsWith("Options", StringComparison.Ordinal) && type.Namespace!.StartsWith("Pipeline.", StringComparison.Ordinal))
            .ShouldBe(Sections.Select(section => section.Defaults.GetType()), ignoreOrder: true);

    private static IEnumerable<KeyValuePair<string, string>> Keys(string path, object options) => options.GetType()
        .GetProperties(BindingFlags.Public | BindingFlags.Instance)
        .Where(property => property.CanWrite && Sections.All(section => section.Defaults.GetType() != property.PropertyType))
        .SelectMany(property => property.PropertyType == typeof(RateLimit)
            ? Keys($"{path}:{property.Name}", property.GetValue(options)!)
            : property.PropertyType == typeof(IReadOnlyList<CdnTarget>)
            ? Keys($"{path}:{property.Name}:N", new CdnTarget())
            : [new($"{path}:{property.Name}", Text(property.GetValue(options)))]);

    private static string Text(object? value) => value switch
    {
        null or "" => "none",
        true => "`true`",
        false => "`false`",
        string text => $"`{text}`",
        Enum one => $"`{one.ToString().ToLowerInvariant()}`",
        IEnumerable list => list.Cast<object>().Select(Text).DefaultIfEmpty("empty").Aggregate((all, next) => $"{all}, {next}"),
        _ => $"`{Convert.ToString(value, CultureInfo.InvariantCulture)}`",
    };

    private static Dictionary<string, string> Documented() => File.ReadLines(RepositoryFiles.Path("ops/config.md"))
        .Select(line => line.Split(" | "))
        .Where(cells => cells.Length >= 3 && cells[0].StartsWith("| `", StringComparison.Ordinal) && cells[0].Contains(':', StringComparison.Ordinal))
        .ToDictionary(cells => cells[0][3..^1], cells => cells[1]);
}
