using System.CommandLine;
using Pipeline.Api.Admin.Shapes;
using Pipeline.Cli.Connection;
using Pipeline.Cli.Output;
using static Pipeline.Cli.Commands.CommonOptions;

namespace Pipeline.Cli.Commands;

/// <summary><c>pipeline reconcile</c>: compares the projections and the object store with the database. The server does it; the command watches.</summary>
internal static class ReconcileCommand
{
    public static Command Create(Session session)
    {
        var repair = new Option<bool>("--repair") { Description = "Mend what can be derived from the database, and report the rest" };
        var noWait = new Option<bool>("--no-wait") { Description = "Do not wait for the end" };
        var command = new Command("reconcile", "Compare the indexes, the object store and the caches with the database; exit code 1 when something differs that was not mended") { repair, noWait };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using var client = session.Connect();
            var answer = await client.SendAsync(HttpMethod.Post, "reconcile", json => json.WriteBoolean("repair", parsed.GetValue(repair)), cancellationToken).ConfigureAwait(false);
            if (!parsed.GetValue(noWait)) answer = await Following.FollowAsync(session, client, $"reconcile/{answer.Text("id")}", Step, cancellationToken).ConfigureAwait(false);
            var run = answer.As(AdminJson.Default.ReconcileAnswer);
            if (parsed.GetValue(Json)) Print(session, answer);
            else Tell(session.Output, run);
            return run.State == "failed" || run.Open > 0 ? ExitCodes.Failed : ExitCodes.Succeeded;
        });
        return command;
    }

    private static Following.Step Step(Answer answer)
    {
        var run = answer.As(AdminJson.Default.ReconcileAnswer);
        return new Following.Step(run.FinishedAt is not null, $"reconcile ({run.Phase ?? run.State})", Math.Min(run.Crates, run.CratesTotal), run.CratesTotal);
    }

    private static void Tell(TextWriter output, ReconcileAnswer run)
    {
        if (run.FinishedAt is not { } finished)
        {
            output.WriteLine($"run {run.Id} is {run.State}");
            return;
        }

        if (run.Error is not null) output.WriteLine($"run {run.Id} failed: {run.Error}");
        output.WriteLine(
            $"run {run.Id}: {Describe.Count(run.Crates)} crates and {Describe.Count(run.Objects)} objects in {Times.Show(finished - run.StartedAt)}, "
            + $"{Describe.Count(run.Found)} differences, {Describe.Count(run.Repaired)} mended, {Describe.Count(run.Open)} open"
            + (run.InFlight > 0 ? $", {Describe.Count(run.InFlight)} crates never came to rest" : ""));
        if (run.Found == 0) return;
        Report.Table(
            output,
            "none of them is noted",
            ["kind", "in", "crate", "version", "object", "mended", "detail"],
            [.. (run.Differences ?? []).Select(one => new[] { one.Kind, one.Store, one.Crate, one.Version, one.Object, one.Repaired ? "yes" : "no", one.Detail })]);
    }
}
