using System.CommandLine;
using System.Globalization;
using Pipeline.Api.Admin.Shapes;
using Pipeline.Cli.Output;
using Pipeline.Cli.Replaying;
using static Pipeline.Cli.Commands.CommonOptions;

namespace Pipeline.Cli.Commands;

/// <summary><c>pipeline failed list|show|replay</c>: what failed, why, and how it is tried again.</summary>
internal static class FailedCommand
{
    public static Command Create(Session session) => new("failed", "Failures of stages: publishes, projections, purges, deletions and whatever else waits") { List(session), Show(session), Replay(session) };

    private static Command List(Session session)
    {
        var filter = new FailureOptions();
        var resolved = new Option<bool>("--resolved") { Description = "Those that are over, in place of the open ones" };
        var limit = Limit();
        var cursor = Cursor();
        var command = new Command("list", "List open failures, newest first") { filter.Stage, filter.Code, filter.Kind, filter.Key, filter.Since, filter.Until, resolved, limit, cursor };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using var client = session.Connect();
            var path = filter.Path(parsed, ("state", parsed.GetValue(resolved) ? "resolved" : null), ("limit", parsed.GetValue(limit)), ("cursor", parsed.GetValue(cursor)));
            var answer = await client.GetAsync(path, cancellationToken).ConfigureAwait(false);
            if (parsed.GetValue(Json)) return Print(session, answer);
            var page = answer.As(AdminJson.Default.FailuresAnswer);
            Report.Table(
                session.Output,
                "no open failures",
                [">id", "stage", "key", "kind", "code", ">count", "last", "state", "trace", "text"],
                [.. page.Failures.Select(failure => new[]
                {
                    Id(failure), failure.Stage, failure.Key, failure.Kind, failure.Code,
                    Describe.Count(failure.Count), Times.Show(failure.LastSeen), failure.State, failure.TraceId, FirstLine(failure.Text),
                })]);
            return More(session, page.NextCursor);
        });
        return command;
    }

    private static Command Show(Session session)
    {
        var id = new Argument<long>("ID") { Description = "The failure's id, from `failed list`" };
        var command = new Command("show", "Show one failure: what failed, how often, when it is tried next, and what a replay would do") { id };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using var client = session.Connect();
            var answer = await client.GetAsync(Path($"failures/{parsed.GetValue(id)}"), cancellationToken).ConfigureAwait(false);
            if (parsed.GetValue(Json)) return Print(session, answer);
            var failure = answer.As(AdminJson.Default.FailureAnswer).Failure;
            Report.Facts(
                session.Output,
                ("failure", Id(failure)),
                ("stage", failure.Stage),
                ("key", failure.Key),
                ("kind", failure.Kind),
                ("code", failure.Code),
                ("state", failure.State),
                ("first seen", Times.Show(failure.FirstSeen)),
                ("last seen", Times.Show(failure.LastSeen)),
                ("count", Describe.Count(failure.Count)),
                ("next try", failure.NextTryAt is null ? null : Times.Show(failure.NextTryAt)),
                ("replayed", failure.ReplayedAt is null ? null : Times.Show(failure.ReplayedAt)),
                ("resolved", failure.ResolvedAt is null ? null : Times.Show(failure.ResolvedAt)),
                ("trace", failure.TraceId),
                ("replay", ReplayWords.Plan(failure.Replay)),
                ("text", failure.Text));
            return ExitCodes.Succeeded;
        });
        return command;
    }

    private static Command Replay(Session session)
    {
        var filter = new FailureOptions();
        var ids = new Option<long[]>("--id") { Description = "Only this one; may be given more than once", HelpName = "ID" };
        var all = new Option<bool>("--all") { Description = "Every open failure" };
        var dryRun = new Option<bool>("--dry-run") { Description = "Show what would be replayed, and do nothing" };
        var rate = new Option<double?>("--rate") { Description = "Replay at most so many a second, such as 10/s", HelpName = "N/s", CustomParser = ReplayRate.Parse };
        var command = new Command("replay", "Try failures again, oldest first: each row is due again, and the sweep rings it. Safe to stop, and safe to repeat")
        {
            ids, filter.Stage, filter.Code, filter.Kind, filter.Key, filter.Since, filter.Until, all, dryRun, rate,
        };
        command.Validators.Add(result =>
        {
            var (named, filtered, everything) = (result.GetResult(ids) is not null, filter.Any(result), result.GetValue(all));
            if (new[] { named, filtered, everything }.Count(static given => given) != 1) result.AddError("say which: --id, or --stage, --code, --kind, --key, --since, --until, or --all");
        });
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using var client = session.Connect();
            var chosen = parsed.GetValue(ids) is { Length: > 0 } some
                ? await Selection.OfIdsAsync(client, some, cancellationToken).ConfigureAwait(false)
                : await Selection.OfFilterAsync(client, cursor => filter.Path(parsed, ("limit", Selection.PageSize), ("cursor", cursor)), cancellationToken).ConfigureAwait(false);
            return parsed.GetValue(dryRun)
                ? ReplayRun.Rehearse(session, chosen, parsed.GetValue(Json))
                : await ReplayRun.RunAsync(session, client, chosen, parsed.GetValue(rate), parsed.GetValue(Json), cancellationToken).ConfigureAwait(false);
        });
        return command;
    }

    private static string Id(FailureShape failure) => failure.Id.ToString(CultureInfo.InvariantCulture);

    private static string FirstLine(string text) => text.Split('\n', 2)[0];
}
