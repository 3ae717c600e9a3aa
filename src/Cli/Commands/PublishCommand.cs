using System.CommandLine;
using System.Globalization;
using Pipeline.Api.Admin.Shapes;
using Pipeline.Cli.Output;
using static Pipeline.Cli.Commands.CommonOptions;

namespace Pipeline.Cli.Commands;

/// <summary><c>pipeline publish list|show</c>: what was published, and what became of it.</summary>
internal static class PublishCommand
{
    private static readonly string[] States = ["parked", "checked", "accepted", "rejected", "undecided", "overdue", "expired"];

    public static Command Create(Session session) => new("publish", "Accepted publish requests and their verdicts") { List(session), Show(session) };

    private static Command List(Session session)
    {
        var state = new Option<string?>("--state") { Description = $"Only those in a state: {string.Join(", ", States)}", HelpName = "STATE" };
        state.AcceptOnlyFromAmong(States);
        var crate = new Option<string?>("--crate") { Description = "Only those of one crate", HelpName = "NAME" };
        var since = Time("--since", "Only those received since then", ahead: false);
        var limit = Limit();
        var cursor = Cursor();
        var command = new Command("list", "List publishes, newest first") { state, crate, since, limit, cursor };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using var client = session.Connect();
            var path = Path(
                $"publishes",
                ("state", parsed.GetValue(state)),
                ("crate", parsed.GetValue(crate)),
                ("since", parsed.GetValue(since)),
                ("limit", parsed.GetValue(limit)),
                ("cursor", parsed.GetValue(cursor)));
            var answer = await client.GetAsync(path, cancellationToken).ConfigureAwait(false);
            if (parsed.GetValue(Json)) return Print(session, answer);
            var page = answer.As(AdminJson.Default.PublishesAnswer);
            Report.Table(
                session.Output,
                "no publishes",
                ["id", "received", "crate", "version", "user", ">size", "state", ">took", "reason"],
                [.. page.Publishes.Select(publish => new[]
                {
                    publish.Id, Times.Show(publish.ReceivedAt), publish.Crate, publish.Version, publish.User, Describe.Size(publish.Size),
                    publish.State, Took(publish), FirstLine(publish.VerdictText),
                })]);
            return More(session, page.NextCursor);
        });
        return command;
    }

    private static Command Show(Session session)
    {
        var id = new Argument<string>("ID") { Description = "The publish's id" };
        var command = new Command("show", "Show one publish: its verdict, and the time each stage took") { id };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using var client = session.Connect();
            var path = Path($"publishes/{parsed.GetValue(id)}");
            var answer = await client.GetAsync(path, cancellationToken).ConfigureAwait(false);
            if (parsed.GetValue(Json)) return Print(session, answer);
            var publish = answer.As(AdminJson.Default.PublishAnswer);
            Tell(session.Output, publish);
            return ExitCodes.Succeeded;
        });
        return command;
    }

    private static void Tell(TextWriter output, PublishAnswer answer)
    {
        var publish = answer.Publish;
        Report.Facts(
            output,
            ("publish", publish.Id),
            ("crate", $"{publish.Crate} {publish.Version}"),
            ("user", publish.User),
            ("file", $"{Describe.Size(publish.Size)}, SHA-256 {publish.Checksum}"),
            ("received", Times.Show(publish.ReceivedAt)),
            ("state", publish.State),
            ("verdict", publish.VerdictText is null ? null : $"{publish.VerdictText} ({publish.VerdictCode}, status {publish.VerdictStatus})"),
            ("waits for", answer.WaitsFor is null ? null : $"publish {answer.WaitsFor}, which holds the version"),
            ("last error", answer.LastError),
            ("attempts", answer.Attempts == 0 ? null : answer.Attempts.ToString(CultureInfo.InvariantCulture)),
            ("next try", answer.NextTryAt is null ? null : Times.Show(answer.NextTryAt)),
            ("deadline", publish.DecidedAt is null ? Times.Show(answer.DeadlineAt) + (answer.Overdue ? ", which is past" : "") : null),
            ("held by", answer.HeldBy),
            ("trace", answer.TraceId ?? answer.TraceParent));
        Report.Table(
            output,
            "no stages",
            ["stage", "state", ">waited", ">took", "done", ">attempts"],
            [.. answer.Stages.Select(stage => new[]
            {
                stage.Stage, stage.State, Span(stage.WaitedMs), Span(stage.TookMs),
                stage.DoneAt?.ToUniversalTime().ToString("HH:mm:ss.fff", CultureInfo.InvariantCulture), Describe.Count(stage.Attempts),
            })]);
        foreach (var (stage, failure) in answer.Stages.SelectMany(static stage => (stage.Failures ?? []).Select(failure => (stage.Stage, failure))))
            output.WriteLine($"{stage}: {failure.Code}, {Describe.Count(failure.Count)} times, last {Times.Show(failure.LastSeen)}, {failure.State} (failure {failure.Id}, trace {failure.TraceId}): {FirstLine(failure.Text)}");
    }

    private static string Took(PublishShape publish) => publish.DecidedAt is { } decided ? Times.Show(decided - publish.ReceivedAt) : "";

    private static string? Span(double? milliseconds) => milliseconds is { } value ? Times.Show(TimeSpan.FromMilliseconds(value)) : null;

    private static string? FirstLine(string? text) => text?.Split('\n', 2)[0];
}
