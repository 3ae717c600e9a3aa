using System.Globalization;
using Pipeline.Cli.Output;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Pipeline.Cli.Importing;

/// <summary>Progress for people: a bar with rate, time left and failures.</summary>
internal sealed class ProgressBar : IImportProgress
{
    private readonly ProgressTask _task;
    private int _failed;

    private ProgressBar(ProgressTask task) => _task = task;

    /// <summary>Shows the bar while work runs.</summary>
    public static Task ShowAsync(IAnsiConsole console, int total, Func<IImportProgress, Task> work)
    {
        ProgressBar? bar = null;
        return console.Progress()
            .Columns(
                new TaskDescriptionColumn(),
                new ProgressBarColumn(),
                new PercentageColumn(),
                new TextColumn(task => $"{Describe.Count((long)task.Value)} of {Describe.Count(total)}"),
                new TextColumn(task => task.Speed is { } speed ? $"{speed.ToString("0", CultureInfo.InvariantCulture)}/s" : ""),
                new RemainingTimeColumn(),
                new TextColumn(_ => bar is { _failed: > 0 } ? $"[red]{Describe.Count(bar._failed)} failed[/]" : ""))
            .StartAsync(context =>
            {
                bar = new ProgressBar(context.AddTask("import", maxValue: total));
                return work(bar);
            });
    }

    /// <inheritdoc/>
    public void Report(ImportResult result)
    {
        if (result.End == ImportEnd.Failed) Interlocked.Increment(ref _failed);
        _task.Increment(1);
    }

    private sealed class TextColumn(Func<ProgressTask, string> text) : ProgressColumn
    {
        public override IRenderable Render(RenderOptions options, ProgressTask task, TimeSpan deltaTime) => new Markup(text(task));
    }
}
