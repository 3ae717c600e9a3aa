using System.Diagnostics;
using System.Text;
using Pipeline.Registry.Failures;
using Pipeline.Registry.Posix;

namespace Pipeline.Registry.Git;

/// <summary>A running git. Disposing it ends it, its own children too, and waits until it is gone.</summary>
public sealed class GitChild : IAsyncDisposable
{
    private const int MaxErrors = 4096;
    private const int MaxOutput = 64 << 20;

    private readonly Process _process;
    private readonly string _command;
    private readonly Task<string> _errors;
    private readonly bool _leadsGroup;

    internal GitChild(Process process, IReadOnlyList<string> arguments, bool leadsGroup)
    {
        _process = process;
        _leadsGroup = leadsGroup;
        _command = arguments.FirstOrDefault(argument => !argument.StartsWith('-') && !argument.Contains('=', StringComparison.Ordinal)) ?? "";
        _errors = ReadErrorsAsync(process.StandardError.BaseStream);
    }

    /// <summary>The process id.</summary>
    public int Id => _process.Id;

    /// <summary>What git reads.</summary>
    public Stream Input => _process.StandardInput.BaseStream;

    /// <summary>What git says.</summary>
    public Stream Output => _process.StandardOutput.BaseStream;

    /// <summary>Ends the input.</summary>
    public void CloseInput()
    {
        try
        {
            _process.StandardInput.Close();
        }
        catch (IOException)
        {
            // Git has stopped reading; why, its exit status says.
        }
    }

    /// <summary>Ends git and its children at once.</summary>
    public void Kill()
    {
        if (_leadsGroup)
        {
            // While anybody of the group lives, its number is nobody else's: and somebody does who holds standard error open.
            if (!_process.HasExited || !_errors.IsCompleted) Libc.KillGroup(_process.Id);
            return;
        }

        try
        {
            _process.Kill(entireProcessTree: true);
        }
        catch (Exception e) when (e is InvalidOperationException or AggregateException)
        {
            // It, or one of its children, had just ended by itself.
        }
    }

    /// <summary>Waits for the end. Output must be read to its end, by the caller, meanwhile.</summary>
    /// <returns>The exit status and the first 4 KiB of what git said on standard error.</returns>
    public async Task<(int ExitCode, string Errors)> EndAsync(CancellationToken cancellationToken)
    {
        await _process.WaitForExitAsync(cancellationToken).ConfigureAwait(false);
        var errors = await _errors.WaitAsync(cancellationToken).ConfigureAwait(false);
        return (_process.ExitCode, errors);
    }

    /// <summary>Feeds all the input, reads all the output and waits for the end.</summary>
    /// <exception cref="TransientException">It took longer than the limit.</exception>
    public Task<GitResult> FinishAsync(ReadOnlyMemory<byte> input, TimeSpan limit, CancellationToken cancellationToken) =>
        FinishAsync((stream, stop) => stream.WriteAsync(input, stop), limit, cancellationToken);

    /// <summary>Lets a writer feed the input, reads all the output meanwhile and waits for the end. The child is ended when that fails.</summary>
    /// <exception cref="TransientException">It took longer than the limit.</exception>
    public async Task<GitResult> FinishAsync(Func<Stream, CancellationToken, ValueTask> feed, TimeSpan limit, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(feed);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        stop.CancelAfter(limit);
        try
        {
            var output = ReadAllAsync(Output, stop.Token);
            try
            {
                await feed(Input, stop.Token).ConfigureAwait(false);
            }
            catch (IOException)
            {
                // Git closed its input before the end: its exit status and standard error say why.
            }

            CloseInput();
            var bytes = await output.ConfigureAwait(false);
            var (exitCode, errors) = await EndAsync(stop.Token).ConfigureAwait(false);
            return new GitResult(exitCode, bytes, errors);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TransientException("git-slow", $"git {_command} did not end within {limit.TotalSeconds:0.#} s");
        }
        finally
        {
            if (!_process.HasExited || _leadsGroup) Kill();
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited) Kill();
        await _process.WaitForExitAsync(CancellationToken.None).ConfigureAwait(false);
        _process.Dispose();
    }

    private static async Task<byte[]> ReadAllAsync(Stream stream, CancellationToken cancellationToken)
    {
        using var all = new MemoryStream();
        var buffer = new byte[1 << 14];
        while (await stream.ReadAsync(buffer, cancellationToken).ConfigureAwait(false) is > 0 and var read)
        {
            if (all.Length + read > MaxOutput) throw new TransientException("git-output", $"git said more than {MaxOutput} bytes");
            all.Write(buffer, 0, read);
        }

        return all.ToArray();
    }

    // Read to the end whatever its length, or git would stop when the pipe is full; kept to a bound.
    private static async Task<string> ReadErrorsAsync(Stream stream)
    {
        var buffer = new byte[MaxErrors];
        var kept = 0;
        var rest = new byte[512];
        try
        {
            while (true)
            {
                var target = kept < buffer.Length ? buffer.AsMemory(kept) : rest;
                var read = await stream.ReadAsync(target).ConfigureAwait(false);
                if (read == 0) break;
                if (kept < buffer.Length) kept += read;
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // The child was ended and its pipes closed while it was still being read: what was said until then is kept.
        }

        return Encoding.UTF8.GetString(buffer, 0, kept).Trim();
    }
}
