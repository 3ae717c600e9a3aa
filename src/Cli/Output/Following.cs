using System.Diagnostics;
using Pipeline.Cli.Connection;
using Pipeline.Contracts;
using Spectre.Console;

namespace Pipeline.Cli.Output;

/// <summary>Shows long work of the server until it ends: a bar on a terminal, a line now and then in a log. It goes on without us.</summary>
internal static class Following
{
    private static readonly TimeSpan AskEvery = TimeSpan.FromMilliseconds(300);
    private static readonly TimeSpan SayEvery = TimeSpan.FromSeconds(10);

    /// <summary>How far the work has got.</summary>
    /// <param name="IsOver">Whether it has ended.</param>
    /// <param name="What">What it is at.</param>
    /// <param name="Done">How much is done.</param>
    /// <param name="Total">Of how much; 0: not known.</param>
    public readonly record struct Step(bool IsOver, string What, long Done, long Total);

    /// <summary>Follows it.</summary>
    /// <param name="session">Where to show it.</param>
    /// <param name="client">The server.</param>
    /// <param name="path">What to ask for.</param>
    /// <param name="read">Reads an answer.</param>
    /// <param name="cancellationToken">Ends the following, not the work.</param>
    /// <returns>The last answer.</returns>
    public static async Task<Answer> FollowAsync(Session session, AdminClient client, string path, Func<Answer, Step> read, CancellationToken cancellationToken)
    {
        if (!session.ErrorIsTerminal) return await AskAsync(client, path, read, Lines(session.Error), cancellationToken).ConfigureAwait(false);
        Answer? last = null;
        await Report.TerminalOn(session.Error).Progress()
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .StartAsync(async context =>
            {
                var bar = context.AddTask("waiting");
                last = await AskAsync(client, path, read, step =>
                {
                    (bar.Description, bar.IsIndeterminate) = (Markup.Escape(Printable.OneLine(step.What)), step.Total == 0);
                    (bar.MaxValue, bar.Value) = (Math.Max(step.Total, 1), step.Done);
                }, cancellationToken).ConfigureAwait(false);
            }).ConfigureAwait(false);
        return last!;
    }

    private static async Task<Answer> AskAsync(AdminClient client, string path, Func<Answer, Step> read, Action<Step> show, CancellationToken cancellationToken)
    {
        while (true)
        {
            var answer = await client.GetAsync(path, cancellationToken).ConfigureAwait(false);
            var step = read(answer);
            show(step);
            if (step.IsOver) return answer;
            await Task.Delay(AskEvery, cancellationToken).ConfigureAwait(false);
        }
    }

    private static Action<Step> Lines(TextWriter output)
    {
        var (since, next) = (Stopwatch.StartNew(), SayEvery);
        return step =>
        {
            if (step.IsOver || since.Elapsed < next) return;
            next = since.Elapsed + SayEvery;
            output.WriteLine($"{step.What}: {Describe.Count(step.Done)}{(step.Total > 0 ? $" of {Describe.Count(step.Total)}" : "")}");
        };
    }
}
