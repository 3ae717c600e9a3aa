using System.Reflection;
using System.Text.RegularExpressions;
using Pipeline.Contracts;
using Pipeline.Contracts.Upkeep;
using Pipeline.Registry.Truth;

namespace Pipeline.Cli.Tests;

/// <summary>The runbook has a row for whatever an operator may be told.</summary>
public sealed partial class RunbookTests
{
    private static readonly HashSet<string> Told = [.. Row().Matches(File.ReadAllText(RepositoryFiles.Path("ops/runbook.md"))).SelectMany(row => Word().Matches(row.Groups["first"].Value)).Select(word => word.Groups[1].Value)];

    [Fact]
    public void Every_alert_has_a_row() => Missing(Alert().Matches(File.ReadAllText(RepositoryFiles.Path("ops/alerts/pipeline.rules.yml"))).Select(match => match.Groups[1].Value)).ShouldBeEmpty();

    [Fact]
    public void Every_code_of_a_reject_has_a_row() =>
        Missing(typeof(RejectCodes).GetFields(BindingFlags.Public | BindingFlags.Static).Select(field => (string)field.GetValue(null)!)).ShouldBeEmpty();

    [Fact]
    public void Every_finding_of_reconcile_has_a_row() => Missing(Enum.GetValues<DifferenceKind>().Select(ReconcileRuns.Text)).ShouldBeEmpty();

    [Fact]
    public void Every_reason_of_a_failure_has_a_row()
    {
        var sources = Directory.EnumerateFiles(RepositoryFiles.Path("src"), "*.cs", SearchOption.AllDirectories)
            .Where(path => !path.Contains("/obj/", StringComparison.Ordinal)).Select(File.ReadAllText).ToList();

        var codes = sources.SelectMany(source => Reason().Matches(source)).Select(match => match.Groups[1].Value).ToHashSet(StringComparer.Ordinal);

        codes.Count.ShouldBeGreaterThan(40);
        Missing(codes).ShouldBeEmpty();
    }

    private static IEnumerable<string> Missing(IEnumerable<string> told) => told.Where(code => !Told.Contains(code));

    // The first cell of a row.
    [GeneratedRegex(@"^\|(?<first>[^|]+)\|", RegexOptions.Multiline)]
    private static partial Regex Row();

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Word();

    [GeneratedRegex(@"alert: (\w+)")]
    private static partial Regex Alert();

    // What a failure is filed under: of the exception that says what was away, of a cache's answer, of an upstream's index file or crate file.
    [GeneratedRegex(@"(?:new TransientException\(|TransientException \w+\(\) => new\(|PurgeResult\.\w+, |new FileTrouble\(|new BadFile\([^""]*?|new FileTrouble\(|Refused\(string text\) => new\(|string (?:Away|TooLarge) = )\s*""([a-z-]+)""")]
    private static partial Regex Reason();
}
