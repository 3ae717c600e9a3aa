using System.CommandLine;
using System.Globalization;
using Pipeline.Api.Admin.Shapes;
using Pipeline.Cli.Connection;
using Pipeline.Cli.Output;
using static Pipeline.Cli.Commands.CommonOptions;

namespace Pipeline.Cli.Commands;

/// <summary><c>pipeline rebuild git|sparse|list</c>: makes a projection anew from the database. The server does it; the command watches.</summary>
internal static class RebuildCommand
{
    // A further projection that can be made anew is a line here.
    public static Command Create(Session session) => new("rebuild", "Make a projection anew from the database")
    {
        Of(session, "git", "The git index: one commit on top of what stands, or none when nothing differs"),
        Of(session, "sparse", "The sparse index: every file"),
        Of(session, "search", "The search projection: every row, in place"),
        List(session),
    };

    private static Command Of(Session session, string kind, string description)
    {
        var crate = new Option<string?>("--crate") { Description = "Only one crate's file", HelpName = "NAME" };
        var to = new Option<string?>("--to") { Description = "Into a new folder of the machine that rebuilds, instead of into place", HelpName = "DIR" };
        var noWait = new Option<bool>("--no-wait") { Description = "Do not wait for the end: `rebuild list` shows it" };
        var command = new Command(kind, description) { crate, to, noWait };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using var client = session.Connect();
            var answer = await client.SendAsync(
                HttpMethod.Post,
                "rebuilds",
                json =>
                {
                    json.WriteString("kind", kind);
                    if (parsed.GetValue(crate) is { } name) json.WriteString("crate", name);
                    if (parsed.GetValue(to) is { } folder) json.WriteString("to", System.IO.Path.GetFullPath(folder));
                },
                cancellationToken).ConfigureAwait(false);
            if (!parsed.GetValue(noWait)) answer = await Following.FollowAsync(session, client, $"rebuilds/{answer.Text("id")}", Step, cancellationToken).ConfigureAwait(false);
            var rebuild = answer.As(AdminJson.Default.RebuildAnswer);
            if (parsed.GetValue(Json)) Print(session, answer);
            else session.Output.WriteLine(Sentence(rebuild));
            return rebuild.State == "failed" ? ExitCodes.Failed : ExitCodes.Succeeded;
        });
        return command;
    }

    private static Command List(Session session)
    {
        var limit = Limit();
        var cursor = Cursor();
        var command = new Command("list", "Rebuilds that were asked for, newest first") { limit, cursor };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using var client = session.Connect();
            var answer = await client.GetAsync(Path($"rebuilds", ("limit", parsed.GetValue(limit)), ("cursor", parsed.GetValue(cursor))), cancellationToken).ConfigureAwait(false);
            if (parsed.GetValue(Json)) return Print(session, answer);
            var page = answer.As(AdminJson.Default.RebuildsAnswer);
            Report.Table(
                session.Output,
                "no rebuilds",
                [">id", "of", "crate", "to", "state", ">done", ">of", "asked", "finished", "result"],
                [.. page.Rebuilds.Select(one => new[]
                {
                    one.Id.ToString(CultureInfo.InvariantCulture), one.Kind, one.Crate, one.To, one.State, Describe.Count(one.Done), Describe.Count(one.Total),
                    Times.Show(one.AskedAt), Times.Show(one.FinishedAt), one.Error ?? one.Result,
                })]);
            return More(session, page.NextCursor);
        });
        return command;
    }

    private static Following.Step Step(Answer answer)
    {
        var rebuild = answer.As(AdminJson.Default.RebuildAnswer);
        return new Following.Step(rebuild.FinishedAt is not null, $"rebuild {rebuild.Kind} ({rebuild.State})", rebuild.Done, rebuild.Total);
    }

    private static string Sentence(RebuildAnswer rebuild) => rebuild.State switch
    {
        "failed" => $"rebuild {rebuild.Id} failed: {rebuild.Error}",
        "done" => $"rebuild {rebuild.Id}: {rebuild.Result}, {Times.Show(rebuild.FinishedAt!.Value - rebuild.StartedAt!.Value)}",
        _ => $"rebuild {rebuild.Id} is {rebuild.State}",
    };
}
