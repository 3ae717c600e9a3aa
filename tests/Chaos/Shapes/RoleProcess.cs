using System.Diagnostics;
using System.Runtime.InteropServices;
using Pipeline.Tests.Serving;

namespace Pipeline.Tests.Chaos.Shapes;

/// <summary>One process of the registry, which is killed and started again on the same configuration.</summary>
/// <param name="role">What it does: <c>standalone</c>, <c>api</c>, <c>tarball</c> …</param>
/// <param name="points">The fault points that it passes.</param>
/// <param name="arguments">Its command line.</param>
/// <param name="environment">Its configuration.</param>
/// <param name="journal">Where its log goes.</param>
internal sealed partial class RoleProcess(
    string role, IReadOnlyList<string> points, IReadOnlyList<string> arguments, IReadOnlyList<(string Name, string Value)> environment, Journal journal) : IAsyncDisposable
{
    private const int Killed = 128 + 9;
    private const int Stop = 19;
    private const int Continue = 18;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    private readonly SemaphoreSlim _turn = new(1);
    private Process? _process;
    private Process? _killed;

    /// <summary>What it does.</summary>
    public string Role => role;

    /// <summary>The fault points that it passes; empty: none.</summary>
    public IReadOnlyList<string> Points => points;

    /// <summary>Whether it was started to die by itself and has not.</summary>
    public bool IsArmed { get; private set; }

    /// <summary>Raised when it dies at the fault point it was armed for; it is started again by itself.</summary>
    public event Action? DiedAtPoint;

    /// <summary>Starts it and returns when it serves. What it needs may be away just now: then it is started again until it is there.</summary>
    /// <param name="extra">Environment for this start alone.</param>
    public async Task StartAsync(params IReadOnlyList<(string Name, string Value)> extra)
    {
        var clock = Stopwatch.StartNew();
        while (await TryStartAsync(extra) is { } code)
        {
            if (code == Killed && extra.Count > 0)
            {
                // It came to its fault point before it served.
                extra = [];
                DiedAtPoint?.Invoke();
            }

            if (clock.Elapsed > Patience) throw new TimeoutException($"{role} does not start:\n{string.Join('\n', journal.Lines.TakeLast(20))}");
            await Task.Delay(200);
        }

        IsArmed = extra.Any(variable => variable.Name == "PIPELINE_DIE_AT");
        _ = WatchAsync(_process!);
    }

    /// <summary>Ends it as SIGKILL does and returns when it is gone. False: somebody else is at it, or it is down.</summary>
    public async Task<bool> KillAsync()
    {
        if (!await _turn.WaitAsync(0)) return false;
        try
        {
            if (_process is not { HasExited: false } process) return false;
            _killed = process;
            process.Kill();
            await process.WaitForExitAsync();
            return true;
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Kills it, and starts it again after a while.</summary>
    /// <param name="pause">How long it is down.</param>
    /// <param name="extra">Environment for the next start alone.</param>
    public async Task<bool> KillAndStartAsync(TimeSpan pause, params IReadOnlyList<(string Name, string Value)> extra)
    {
        if (!await KillAsync()) return false;
        await Task.Delay(pause);
        await StartAsync(extra);
        return true;
    }

    /// <summary>Lets it stand still for a while, as a machine that swaps or a garbage collection that takes its time.</summary>
    public async Task<bool> SleepAsync(TimeSpan time)
    {
        if (_process is not { HasExited: false } process || Signal(process.Id, Stop) != 0) return false;
        await Task.Delay(time);
        return Signal(process.Id, Continue) == 0 && !process.HasExited;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _killed = _process;
        if (_process is { HasExited: false } process)
        {
            process.Kill();
            await process.WaitForExitAsync();
        }

        _process?.Dispose();
        _turn.Dispose();
    }

    /// <summary>Null: it serves; else the exit code.</summary>
    private async Task<int?> TryStartAsync(IReadOnlyList<(string Name, string Value)> extra)
    {
        var process = Process.Start(PipelineProgram.Start(arguments, [.. environment, .. extra]))!;
        process.ErrorDataReceived += (_, line) =>
        {
            if (line.Data is { } text) journal.Note(role, text);
        };
        process.BeginErrorReadLine();
        using var patience = new CancellationTokenSource(Patience);
        var ready = await process.StandardOutput.ReadLineAsync(patience.Token);
        if (ready?.StartsWith("ready ", StringComparison.Ordinal) == true)
        {
            _process = process;
            return null;
        }

        await process.WaitForExitAsync(patience.Token);
        var code = process.ExitCode;
        process.Dispose();
        return code;
    }

    /// <summary>One that was armed dies and is started again; any other that ends though nobody killed it is a surprise.</summary>
    private async Task WatchAsync(Process process)
    {
        await process.WaitForExitAsync();
        if (ReferenceEquals(_killed, process)) return;
        if (IsArmed && process.ExitCode == Killed) DiedAtPoint?.Invoke();
        else journal.Surprise($"{role} ended by itself with exit code {process.ExitCode}");
        await StartAsync();
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Signal(int process, int signal);
}
