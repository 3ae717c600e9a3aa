using System.CommandLine;
using System.Globalization;
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
            ["stage", ">waiting", ">oldest", ">depth", ">of", ">in flight", ">per second", ">parked"],
            [.. status.Stages.Select(stage => new[]
            {
                stage.Stage, Describe.Count(stage.Waiting), Age(stage.OldestSeconds), Level(stage.Depth), Level(stage.Capacity),
                Describe.Count(stage.InFlight), stage.PerSecond.ToString("0.#", CultureInfo.InvariantCulture), Describe.Count(stage.Parked),
            })]);
        Report.Table(
            output,
            "no projections",
            ["projection", ">behind", ">lag", ">retrying", ">parked"],
            [.. status.Projections.Select(projection => new[]
            {
                projection.Kind, Describe.Count(projection.Behind), Age(projection.LagSeconds), Describe.Count(projection.Retrying), Describe.Count(projection.Parked),
            })]);
        Report.Table(
            output,
            "no open failures",
            ["stage", "kind", ">failures"],
            [.. status.Failures.Select(failure => new[] { failure.Stage, failure.Kind, Describe.Count(failure.Count) })]);
        if (status.Overdue is { } overdue) TellOverdue(output, overdue);
        foreach (var claim in status.Claims ?? []) TellClaims(output, claim);
        foreach (var lease in status.Leases ?? []) TellLease(output, lease);
        if (status.Reconcile is { } run) TellReconcile(output, run);
        foreach (var upstream in status.Upstreams ?? []) TellUpstream(output, upstream);
        if (status.Processes is not { } processes) return;
        Report.Table(
            output,
            "no process is alive",
            ["process", "serves", "started", ">last seen"],
            [.. processes.Select(process => new[] { process.Id, process.Roles.Length == 0 ? "all" : process.Roles, Times.Show(process.StartedAt), Age(process.SeenSeconds) })]);
    }

    private static void TellOverdue(TextWriter output, OverdueStatus overdue)
    {
        if (overdue.ExpiredLastDay > 0) output.WriteLine($"{Describe.Count(overdue.ExpiredLastDay)} publishes were given up as expired in the last day: publish list --state expired");
        if (overdue.Count == 0) return;
        output.WriteLine($"{Describe.Count(overdue.Count)} publishes are past their deadline");
        Report.Table(
            output,
            "",
            ["publish", "crate", "version", "held by", "deadline", "last error"],
            [.. overdue.Publishes.Select(publish => new[]
            {
                publish.Id, publish.Crate, publish.Version, publish.WaitsFor is { } other ? $"publish {other}" : publish.Stage, Times.Show(publish.DeadlineAt), publish.LastError?.Split('\n', 2)[0],
            })]);
    }

    private static void TellClaims(TextWriter output, ClaimStatus claim)
    {
        if (claim.Open > 0) output.WriteLine($"{claim.Kind}: {Describe.Count(claim.Open)} claims open, {Describe.Count(claim.OfDead)} of them of dead processes, the oldest for {Age(claim.OldestSeconds)}");
    }

    private static void TellReconcile(TextWriter output, ReconcileStatus run)
    {
        var found = run.State == "failed" ? "failed"
            : run.Open + run.InFlight == 0 ? "found nothing open"
            : $"left {Describe.Count(run.Open)} differences open and {Describe.Count(run.InFlight)} crates not at rest";
        output.WriteLine($"reconcile: run {run.Id} {found}, {Age(run.EndedSeconds)} ago");
    }

    private static void TellLease(TextWriter output, LeaseStatus lease) => output.WriteLine(
        lease.SecondsLeft < 0 ? $"lease {lease.Name}: free"
        : lease.Alive ? $"lease {lease.Name}: held by {lease.Process}"
        : $"lease {lease.Name}: of the dead process {lease.Process}, free at once");

    private static void TellUpstream(TextWriter output, UpstreamStatus upstream) => output.WriteLine(
        $"upstream {upstream.Name}: last good sync {Age(upstream.AgeSeconds)} ago"
        + (upstream.Attempts > 0 ? $", {Describe.Count(upstream.Attempts)} failed since" : "") + (upstream.Incident is { } incident ? $"; it is {incident}: upstream status {upstream.Name}" : ""));

    private static string Level(int? count) => count is { } known ? Describe.Count(known) : "?";

    private static string Age(double? seconds) => seconds is { } value ? Times.Show(TimeSpan.FromSeconds(value)) : "";
}
