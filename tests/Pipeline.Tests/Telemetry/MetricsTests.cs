using System.Diagnostics;
using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using Pipeline.Tests.Generating;
using Pipeline.Tests.Serving;

namespace Pipeline.Tests.Telemetry;

/// <summary><c>/metrics</c>, and what reads it: the dashboard and the alerts.</summary>
public sealed partial class MetricsTests : IAsyncLifetime
{
    // Declared, and without a value until the registry follows an upstream.
    private static readonly string[] OfUpstreams = ["pipeline_upstream_freshness_seconds", "pipeline_upstream_incident"];

    private PipelineProcess _pipeline = null!;
    private Account _user = null!;

    public async ValueTask InitializeAsync()
    {
        _pipeline = await PipelineProcess.StartAsync(
            null, ("Registry:AuthRequired", "true"), ("Telemetry:MetricsPort", "0"), ("Logging:LogLevel:Default", "Information"));
        _user = await _pipeline.AddUserAsync();
    }

    public ValueTask DisposeAsync() => _pipeline.DisposeAsync();

    [Fact]
    public async Task Who_may_not_read_the_registry_may_read_its_metrics_and_finds_no_crate_in_them()
    {
        await PublishAsync("unmentioned", "1.0.0");

        var text = await ScrapeAsync();

        text.ShouldContain("pipeline_stage_age_of_oldest_seconds{stage=\"validate-tarball\"} 0\n");
        text.ShouldContain("pipeline_projection_lag_seconds{kind=\"git\"} ");
        text.ShouldContain("pipeline_stage_duration_seconds_count{outcome=\"done\",stage=\"read-manifest\"} 1\n");
        text.ShouldContain("pipeline_publish_accept_to_index_seconds_bucket{index=\"sparse\",le=\"+Inf\"} 1\n");
        text.ShouldNotContain("unmentioned");
        (await _pipeline.Http.GetAsync(new Uri("/index/config.json", UriKind.Relative))).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task A_port_of_its_own_serves_metrics_and_health_and_nothing_else()
    {
        var url = MetricsUrl().Match(_pipeline.Log).Value;
        url.ShouldNotBeEmpty();

        (await _pipeline.Http.GetStringAsync(new Uri(url))).ShouldContain("# TYPE pipeline_stage_waiting gauge\n");
        (await _pipeline.Http.GetAsync(new Uri(new Uri(url), "/healthz"))).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await _pipeline.Http.GetAsync(new Uri(new Uri(url), "/api/v1/crates"))).StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task The_checker_of_prometheus_finds_nothing_to_say()
    {
        await PublishAsync("checked", "1.0.0");
        await PublishAsync("checked", "1.0.0");

        using var promtool = Process.Start(new ProcessStartInfo("promtool", ["check", "metrics"]) { RedirectStandardInput = true, RedirectStandardError = true, RedirectStandardOutput = true })!;
        await promtool.StandardInput.WriteAsync(await ScrapeAsync());
        promtool.StandardInput.Close();
        var said = await promtool.StandardOutput.ReadToEndAsync() + await promtool.StandardError.ReadToEndAsync();
        await promtool.WaitForExitAsync();
        (promtool.ExitCode, said).ShouldBe((0, ""));
    }

    [Fact]
    public async Task A_failure_is_counted_and_counts_as_zero_once_it_is_resolved()
    {
        _pipeline.ExpectFailures("read-manifest");
        await PublishAsync("failing", "1.0.0");
        await WriteAsync("INSERT INTO failures (stage, key, kind, code, text, first_seen, last_seen) VALUES ('read-manifest', 'k', 'fault', 'c', 't', 0, 0)");
        await Deadline.UntilAsync(20, async () => (await ScrapeAsync()).Contains("pipeline_failed{kind=\"fault\",stage=\"read-manifest\"} 1\n", StringComparison.Ordinal) ? null : "the failure");

        await WriteAsync("UPDATE failures SET resolved_at = 1");

        await Deadline.UntilAsync(20, async () => (await ScrapeAsync()).Contains("pipeline_failed{kind=\"fault\",stage=\"read-manifest\"} 0\n", StringComparison.Ordinal) ? null : "zero failures");
    }

    [Theory]
    [InlineData("dashboards/pipeline.json")]
    [InlineData("alerts/pipeline.rules.yml")]
    public async Task What_reads_the_metrics_asks_for_such_as_there_are(string file)
    {
        await PublishAsync("asked", "1.0.0");
        await WriteAsync("INSERT INTO failures (stage, key, kind, code, text, first_seen, last_seen, resolved_at) VALUES ('sweep', 'k', 'fault', 'c', 't', 0, 0, 1)");
        var text = await ScrapeAsync();
        var exposed = Family().Matches(text).SelectMany(match => match.Groups["type"].Value == "histogram"
            ? new[] { "_bucket", "_sum", "_count" }.Select(ending => match.Groups["name"].Value + ending)
            : [match.Groups["name"].Value]).ToHashSet();
        // Failures have a series from the first one on.
        exposed.UnionWith([.. OfUpstreams, "pipeline_failed"]);

        var asked = Metric().Matches(await File.ReadAllTextAsync(RepositoryFiles.InRepository($"ops/{file}"))).Select(match => match.Value).Distinct().ToList();

        asked.ShouldNotBeEmpty();
        asked.Where(name => !exposed.Contains(name)).ShouldBeEmpty();
    }

    [Fact]
    public async Task The_dashboard_is_json_with_a_query_in_every_panel()
    {
        using var dashboard = JsonDocument.Parse(await File.ReadAllTextAsync(RepositoryFiles.InRepository("ops/dashboards/pipeline.json")));
        var panels = dashboard.RootElement.GetProperty("panels").EnumerateArray().Where(panel => panel.GetProperty("type").GetString() != "row").ToList();
        panels.Count.ShouldBeGreaterThan(5);
        foreach (var panel in panels)
        {
            panel.GetProperty("title").GetString().ShouldNotBeNullOrEmpty();
            panel.GetProperty("targets").EnumerateArray().ShouldAllBe(target => target.GetProperty("expr").GetString()!.Length > 0);
        }
    }

    private async Task<string> ScrapeAsync() => await _pipeline.GetAsync("/metrics") ?? "";

    private async Task PublishAsync(string name, string version)
    {
        (await _pipeline.PublishAsync(CrateFile.Body(name, version, CrateFile.Plain(name, version)), _user.Token)).ShouldBeAccepted();
        await _pipeline.SettleAsync();
    }

    private async Task WriteAsync(string sql)
    {
        await using var database = new Microsoft.Data.Sqlite.SqliteConnection($"Data Source={Path.Combine(_pipeline.Data, "registry.sqlite")};Pooling=false");
        await database.OpenAsync();
        await using var command = database.CreateCommand();
#pragma warning disable CA2100 // the texts are constants above
        command.CommandText = sql;
#pragma warning restore CA2100
        await command.ExecuteNonQueryAsync();
    }

    [GeneratedRegex(@"(?m)^# TYPE (?<name>\S+) (?<type>\S+)$")]
    private static partial Regex Family();

    [GeneratedRegex(@"\b(pipeline|dotnet)_[a-z0-9_]+")]
    private static partial Regex Metric();

    [GeneratedRegex(@"http://127\.0\.0\.1:\d+/metrics")]
    private static partial Regex MetricsUrl();
}
