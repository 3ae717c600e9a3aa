using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Pipeline.Api.Admin.Shapes;
using Pipeline.Cli.Connection;
using Pipeline.Cli.Output;
using Spectre.Console;

namespace Pipeline.Cli.Replaying;

/// <summary>Replays chosen failures in small requests. Each failure is one transaction of the server's: whoever is stopped here has done some, and left the others as they were.</summary>
internal sealed class ReplayRun(AdminClient client, double? rate)
{
    private const int MostShown = 1000;
    private readonly List<ReplayShape> _results = [];

    /// <summary>Shows what would be replayed.</summary>
    public static int Rehearse(Session session, IReadOnlyList<FailureShape> chosen, bool json)
    {
        if (json)
        {
            var text = JsonSerializer.SerializeToUtf8Bytes(new FailuresAnswer(chosen, null), AdminJson.Default.FailuresAnswer);
            session.Output.WriteLine(Encoding.UTF8.GetString(text));
            return ExitCodes.Succeeded;
        }

        Report.Table(
            session.Output,
            "nothing to replay",
            [">id", "stage", "key", "code", "state", "replay"],
            [.. chosen.Take(MostShown).Select(failure => new[]
            {
                failure.Id.ToString(CultureInfo.InvariantCulture), failure.Stage, failure.Key, failure.Code, failure.State, ReplayWords.Plan(failure.Replay),
            })]);
        if (chosen.Count > MostShown) session.Output.WriteLine($"… and {Describe.Count(chosen.Count - MostShown)} more");
        if (chosen.Count > 0) session.Output.WriteLine($"{Describe.Count(chosen.Count)} would be replayed; nothing was done");
        return ExitCodes.Succeeded;
    }

    /// <summary>Replays them.</summary>
    public static async Task<int> RunAsync(
        Session session, AdminClient client, IReadOnlyList<FailureShape> chosen, double? rate, bool json, CancellationToken cancellationToken)
    {
        var run = new ReplayRun(client, rate);
        long[] ids = [.. chosen.Select(static failure => failure.Id)];
        try
        {
            if (session.ErrorIsTerminal) await run.WithBarAsync(Report.TerminalOn(session.Error), ids, cancellationToken).ConfigureAwait(false);
            else await run.AllAsync(ids, static _ => { }, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            if (run._results.Count < ids.Length) session.Error.WriteLine($"{Describe.Count(run._results.Count)} of {Describe.Count(ids.Length)} were replayed for certain; the same command goes on with the rest");
        }

        run.Tell(session, json);
        return run._results.Exists(static result => result.Outcome == "unknown") ? ExitCodes.Failed : ExitCodes.Succeeded;
    }

    private Task WithBarAsync(IAnsiConsole console, long[] ids, CancellationToken cancellationToken) => console.Progress()
        .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
        .StartAsync(context =>
        {
            var task = context.AddTask("replay", maxValue: ids.Length);
            return AllAsync(ids, task.Increment, cancellationToken);
        });

    private async Task AllAsync(long[] ids, Action<double> progress, CancellationToken cancellationToken)
    {
        var since = Stopwatch.StartNew();
        foreach (var some in ids.Chunk(ReplayRate.AtOnce(rate)))
        {
            var answer = await client.SendAsync(HttpMethod.Post, "failures/replay", body => Write(body, some), cancellationToken).ConfigureAwait(false);
            _results.AddRange(answer.As(AdminJson.Default.ReplayAnswer).Results);
            progress(some.Length);
            if (_results.Count < ids.Length) await Task.Delay(ReplayRate.Wait(rate, _results.Count, since.Elapsed), cancellationToken).ConfigureAwait(false);
        }
    }

    private static void Write(Utf8JsonWriter body, long[] ids)
    {
        body.WriteStartArray("ids");
        foreach (var id in ids) body.WriteNumberValue(id);
        body.WriteEndArray();
    }

    private void Tell(Session session, bool json)
    {
        if (json)
        {
            session.Output.WriteLine(Encoding.UTF8.GetString(JsonSerializer.SerializeToUtf8Bytes(new ReplayAnswer(_results), AdminJson.Default.ReplayAnswer)));
            return;
        }

        session.Output.WriteLine(_results.Count == 0 ? "nothing to replay" : string.Join(
            ", ", _results.GroupBy(static result => result.Outcome).OrderByDescending(static group => group.Count()).Select(static group => $"{Describe.Count(group.Count())} {ReplayWords.Past(group.Key)}")));
    }
}
