using System.CommandLine;
using System.Globalization;
using Pipeline.Api.Admin.Shapes;
using Pipeline.Cli.Output;
using static Pipeline.Cli.Commands.CommonOptions;

namespace Pipeline.Cli.Commands;

/// <summary><c>pipeline failed list</c>: failures that nobody has resolved.</summary>
internal static class FailedCommand
{
    public static Command Create(Session session) => new("failed", "Failures of stages") { List(session) };

    private static Command List(Session session)
    {
        var stage = new Option<string?>("--stage") { Description = "Only those of one stage", HelpName = "STAGE" };
        var code = new Option<string?>("--code") { Description = "Only those with a code", HelpName = "CODE" };
        var since = Time("--since", "Only those seen since then", ahead: false);
        var limit = Limit();
        var cursor = Cursor();
        var command = new Command("list", "List open failures, newest first") { stage, code, since, limit, cursor };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using var client = session.Connect();
            var path = Path(
                $"failures",
                ("stage", parsed.GetValue(stage)),
                ("code", parsed.GetValue(code)),
                ("since", parsed.GetValue(since)),
                ("limit", parsed.GetValue(limit)),
                ("cursor", parsed.GetValue(cursor)));
            var answer = await client.GetAsync(path, cancellationToken).ConfigureAwait(false);
            if (parsed.GetValue(Json)) return Print(session, answer);
            var page = answer.As(AdminJson.Default.FailuresAnswer);
            Report.Table(
                session.Output,
                "no open failures",
                [">id", "stage", "key", "kind", "code", ">count", "first", "last", "trace", "text"],
                [.. page.Failures.Select(failure => new[]
                {
                    failure.Id.ToString(CultureInfo.InvariantCulture), failure.Stage, failure.Key, failure.Kind, failure.Code,
                    Describe.Count(failure.Count), Times.Show(failure.FirstSeen), Times.Show(failure.LastSeen), failure.TraceId, failure.Text,
                })]);
            return More(session, page.NextCursor);
        });
        return command;
    }
}
