using System.CommandLine;
using Pipeline.Api.Admin.Shapes;
using Pipeline.Cli.Connection;
using static Pipeline.Cli.Commands.CommonOptions;

namespace Pipeline.Cli.Commands;

/// <summary><c>pipeline squash</c>: puts the git index's history on a snapshot branch and leaves one commit.</summary>
internal static class SquashCommand
{
    private static readonly TimeSpan AskAgain = TimeSpan.FromMilliseconds(500);

    public static Command Create(Session session)
    {
        var noWait = new Option<bool>("--no-wait") { Description = "Only ask for it" };
        var command = new Command("squash", "Squash the git index into one commit; its history stays on a branch `snapshot-DATE`") { noWait };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using var client = session.Connect();
            var answer = await client.SendAsync(HttpMethod.Post, "squash", null, cancellationToken).ConfigureAwait(false);
            var before = answer.As(AdminJson.Default.SquashAnswer).SquashedAt;
            if (parsed.GetValue(noWait)) return Say(session, parsed, answer, "the squash is asked for");
            return await WaitAsync(session, parsed, client, before, cancellationToken).ConfigureAwait(false);
        });
        return command;
    }

    private static async Task<int> WaitAsync(Session session, ParseResult parsed, AdminClient client, DateTime? before, CancellationToken cancellationToken)
    {
        while (true)
        {
            var answer = await client.GetAsync("squash", cancellationToken).ConfigureAwait(false);
            var squash = answer.As(AdminJson.Default.SquashAnswer);
            if (squash is { WantedAt: not null, Error: { } error }) throw new CliException($"it failed and will be tried again: {error}");
            if (squash.WantedAt is null)
            {
                var sentence = squash.SquashedAt == before ? "there was nothing to squash" : $"squashed into {squash.To}; the history up to {squash.From} is on {squash.Branch}";
                return Say(session, parsed, answer, sentence);
            }

            await Task.Delay(AskAgain, cancellationToken).ConfigureAwait(false);
        }
    }
}
