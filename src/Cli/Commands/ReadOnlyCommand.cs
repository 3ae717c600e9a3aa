using System.CommandLine;
using Pipeline.Api.Admin.Shapes;
using Pipeline.Cli.Output;
using static Pipeline.Cli.Commands.CommonOptions;

namespace Pipeline.Cli.Commands;

/// <summary><c>pipeline read-only show|end</c>: whether a restored registry takes writes yet.</summary>
internal static class ReadOnlyCommand
{
    public static Command Create(Session session) => new("read-only", "Whether the registry takes writes: one that was restored does not until it is reconciled") { Show(session), End(session) };

    private static Command Show(Session session)
    {
        var command = new Command("show", "Say whether it takes writes, and why not");
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using var client = session.Connect();
            var answer = await client.GetAsync("read-only", cancellationToken).ConfigureAwait(false);
            var state = answer.As(AdminJson.Default.ReadOnlyAnswer);
            return Say(session, parsed, answer, state.ReadOnly ? $"read-only since {Times.Show(state.Since)}: {state.Reason}" : "it takes writes");
        });
        return command;
    }

    private static Command End(Session session)
    {
        var yes = Yes();
        var command = new Command("end", "Take writes again before a reconcile run found nothing") { yes };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            if (!parsed.GetValue(yes)) Confirm(session, "Take writes though the registry is not reconciled?");
            using var client = session.Connect();
            var answer = await client.SendAsync(HttpMethod.Delete, "read-only", null, cancellationToken).ConfigureAwait(false);
            return Say(session, parsed, answer, "it takes writes");
        });
        return command;
    }
}
