using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Pipeline.Cli.Connection;
using Pipeline.Cli.Output;
using static Pipeline.Cli.Commands.CommonOptions;

namespace Pipeline.Cli.Commands;

/// <summary><c>pipeline changes</c>: what happened, in order.</summary>
internal static class ChangesCommand
{
    private const int WaitSeconds = 30;

    public static Command Create(Session session)
    {
        var since = new Option<string?>("--since") { Description = "Only what comes behind this cursor, or after `now`; else from the start", HelpName = "CURSOR" };
        var limit = Limit();
        var follow = new Option<bool>("--follow", "-f") { Description = "Go on, and wait for what happens; with --json one change a line" };
        var command = new Command("changes", "What happened to crates, oldest first") { since, limit, follow };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using var client = session.Connect();
            var (cursor, most, json) = (parsed.GetValue(since), parsed.GetValue(limit), parsed.GetValue(Json));
            if (parsed.GetValue(follow)) return await FollowAsync(session, client, cursor, most, json, cancellationToken).ConfigureAwait(false);
            var answer = await client.ReadAsync(Path($"changes", ("since", cursor), ("limit", most)), cancellationToken).ConfigureAwait(false);
            if (json) return Print(session, answer);
            Report.Table(session.Output, "no changes", ["at", "kind", "crate", "version", ">revision", "data"], [.. Changes(answer).Select(Cells)]);
            session.Error.WriteLine(answer.Root.GetProperty("more").GetBoolean() ? $"there are more: --since {answer.Text("cursor")}" : $"what comes next: --since {answer.Text("cursor")}");
            return ExitCodes.Succeeded;
        });
        return command;
    }

    private static async Task<int> FollowAsync(Session session, AdminClient client, string? cursor, int most, bool json, CancellationToken cancellationToken)
    {
        while (true)
        {
            var answer = await client.ReadAsync(Path($"changes", ("since", cursor), ("limit", most), ("wait", WaitSeconds)), cancellationToken).ConfigureAwait(false);
            foreach (var change in Changes(answer))
                await session.Output.WriteLineAsync(json ? change.GetRawText() : string.Join("  ", Cells(change).Where(static cell => cell?.Length > 0))).ConfigureAwait(false);
            await session.Output.FlushAsync(cancellationToken).ConfigureAwait(false);
            cursor = answer.Text("cursor");
        }
    }

    private static JsonElement.ArrayEnumerator Changes(Answer answer) =>
        answer.Root.TryGetProperty("changes", out var changes) && changes.ValueKind == JsonValueKind.Array
            ? changes.EnumerateArray()
            : throw new CliException("the server answered something that this command does not understand: is it as new?");

    private static string?[] Cells(JsonElement change) =>
    [
        DateTime.TryParse(Text(change, "at"), CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind, out var at) ? Times.Show(at) : Text(change, "at"),
        Text(change, "kind"), Text(change, "crate"), Text(change, "version"), Text(change, "revision"), Text(change, "data"),
    ];

    private static string Text(JsonElement change, string name) =>
        change.TryGetProperty(name, out var value) ? value.ValueKind is JsonValueKind.Object or JsonValueKind.Number ? value.GetRawText() : value.GetString() ?? "" : "";
}
