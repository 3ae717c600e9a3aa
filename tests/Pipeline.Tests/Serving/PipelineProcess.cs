using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Pipeline.Tests.Serving;

/// <summary>A registry in a process of its own, which can be killed and started again on the same data.</summary>
public sealed class PipelineProcess : RunningPipeline
{
    private const double StartSeconds = 60;
    private readonly StringBuilder _log = new();
    private readonly string[] _arguments;
    private Process? _process;

    private PipelineProcess(IEnumerable<(string Key, string Value)> configuration) =>
        _arguments = [.. configuration.SelectMany(item => new[] { "--set", $"{item.Key}={item.Value}" })];

    /// <summary>What it wrote to standard error so far, over all starts.</summary>
    public string Log
    {
        get
        {
            lock (_log) return _log.ToString();
        }
    }

    /// <inheritdoc/>
    protected override bool IsRunning => _process is { HasExited: false };

    /// <summary>Starts one without rate limits.</summary>
    /// <param name="environment">Environment variables for this start.</param>
    /// <param name="configuration">Configuration keys with their values.</param>
    public static async Task<PipelineProcess> StartAsync(IEnumerable<(string Name, string Value)>? environment = null, params IEnumerable<(string Key, string Value)> configuration)
    {
        var pipeline = new PipelineProcess(configuration);
        await pipeline.StartAgainAsync(environment);
        pipeline.Serves();
        return pipeline;
    }

    /// <summary>Starts one without rate limits on a data folder that is there already.</summary>
    /// <param name="makeData">Makes the folder at the path that it is given.</param>
    public static async Task<PipelineProcess> StartAsync(Action<string> makeData)
    {
        var pipeline = new PipelineProcess([]);
        makeData(pipeline.Data);
        await pipeline.StartAgainAsync();
        pipeline.Serves();
        return pipeline;
    }

    /// <summary>Starts it on the same port and data.</summary>
    public async Task StartAgainAsync(IEnumerable<(string Name, string Value)>? environment = null)
    {
        IsRunning.ShouldBeFalse();
        _process = Process.Start(PipelineProgram.Start(
            ["up", "--port", Port.ToString(CultureInfo.InvariantCulture), "--data", Data, "--no-rate-limits", .. _arguments], environment ?? []))!;
        _process.ErrorDataReceived += (_, line) => Note(line.Data);
        _process.BeginErrorReadLine();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(StartSeconds));
        var ready = await _process.StandardOutput.ReadLineAsync(patience.Token);
        ready.ShouldBe($"ready {Url}", Log);
    }

    /// <summary>Ends it as SIGKILL does, and returns when it is gone.</summary>
    public async Task KillAsync()
    {
        _process!.Kill();
        await _process.WaitForExitAsync();
    }

    /// <summary>Waits until it has ended by itself.</summary>
    public async Task<int> ExitAsync(double seconds = 60)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(seconds));
        await _process!.WaitForExitAsync(patience.Token);
        return _process.ExitCode;
    }

    /// <summary>Its resident memory, bytes.</summary>
    public long ResidentBytes
    {
        get
        {
            var line = File.ReadLines($"/proc/{_process!.Id}/status").First(line => line.StartsWith("VmRSS:", StringComparison.Ordinal));
            return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2], CultureInfo.InvariantCulture) * 1024;
        }
    }

    /// <summary>What it has used of the processors.</summary>
    public TimeSpan ProcessorTime
    {
        get
        {
            _process!.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    /// <inheritdoc/>
    protected override async Task StopAsync()
    {
        if (IsRunning) await KillAsync();
        _process?.Dispose();
    }

    private void Note(string? line)
    {
        if (line is null) return;
        lock (_log) _log.AppendLine(line);
    }
}
