using System.Diagnostics;
using Pipeline.Cli.Output;

namespace Pipeline.Cli.Importing;

/// <summary>Progress for logs: a line every ten seconds.</summary>
internal sealed class ProgressLines(TextWriter output, int total) : IImportProgress
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    private readonly Stopwatch _since = Stopwatch.StartNew();
    private readonly Lock _lock = new();
    private TimeSpan _next = Interval;
    private int _done;
    private int _failed;

    /// <inheritdoc/>
    public void Report(ImportResult result)
    {
        lock (_lock)
        {
            _done++;
            if (result.End == ImportEnd.Failed) _failed++;
            if (_since.Elapsed < _next) return;
            _next = _since.Elapsed + Interval;
            var rate = _done / _since.Elapsed.TotalSeconds;
            var left = TimeSpan.FromSeconds((total - _done) / rate);
            output.WriteLine($"{Describe.Count(_done)} of {Describe.Count(total)}, {rate:0}/s, {Times.Show(left)} left, {Describe.Count(_failed)} failed");
        }
    }
}
