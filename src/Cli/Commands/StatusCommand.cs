using System.CommandLine;
using Pipeline.Api.Admin.Shapes;
using Pipeline.Cli.Output;
using static Pipeline.Cli.Commands.CommonOptions;

namespace Pipeline.Cli.Commands;

/// <summary><c>pipeline status</c>: what waits, what lags, what failed.</summary>
internal static class StatusCommand
{
    public static Command Create(Session session)
    {
        var command = new Command("status", "What waits in each stage, how far projections lag, what failed");
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using var client = session.Connect();
            var answer = await client.GetAsync("status", cancellationToken).ConfigureAwait(false);
            if (parsed.GetValue(Json)) return Print(session, answer);
            Tell(session.Output, answer.As(AdminJson.Default.StatusAnswer));
            return ExitCodes.Succeeded;
        });
        return command;
    }

    private static void Tell(TextWriter output, StatusAnswer status)
    {
        var counts = status.Counts;
        output.WriteLine(
            $"{Describe.Count(counts.Crates)} crates, {Describe.Count(counts.Versions)} versions, {Describe.Count(counts.Users)} users, "
            + $"{Describe.Count(counts.Undecided)} publishes undecided");
        Report.Table(
            output,
            "no stages",
            ["stage", ">waiting", ">oldest", ">depth", ">of"],
            [.. status.Stages.Select(stage => new[]
            {
                stage.Stage, Describe.Count(stage.Waiting), Age(stage.OldestSeconds), Level(stage.Depth), Level(stage.Capacity),
            })]);
        Report.Table(
            output,
            "no projections",
            ["projection", ">behind", ">lag", ">retrying"],
            [.. status.Projections.Select(projection => new[]
            {
                projection.Kind, Describe.Count(projection.Behind), Age(projection.LagSeconds), Describe.Count(projection.Retrying),
            })]);
        Report.Table(
            output,
            "no open failures",
            ["stage", "kind", ">failures"],
            [.. status.Failures.Select(failure => new[] { failure.Stage, failure.Kind, Describe.Count(failure.Count) })]);
    }

    private static string Level(int? count) => count is { } known ? Describe.Count(known) : "?";

    private static string Age(double? seconds) => seconds is { } value ? Times.Show(TimeSpan.FromSeconds(value)) : "";
}
