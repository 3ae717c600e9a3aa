using System.ComponentModel;
using System.Diagnostics;
using Pipeline.Registry.Failures;
using Pipeline.Registry.Posix;

namespace Pipeline.Registry.Git;

/// <summary>
/// Starts git: the only place in the code base that starts a child process. Arguments travel as a list, never through a shell, and the
/// environment is ours alone, so that neither the machine's git configuration nor the caller's variables reach a repository.
/// </summary>
/// <param name="program">The program, by name or path.</param>
/// <param name="home">A folder of ours that git may take for its home.</param>
public sealed class GitProgram(string program, string home)
{
    // One gate for the whole process: while a write child is started the lock's descriptor can be inherited, and no other child may be
    // born in that moment, or a slow reader would hold the writer's lock.
    private static readonly Lock StartGate = new();

    private static readonly Dictionary<string, string> NoVariables = [];

    /// <summary>Starts git on a repository.</summary>
    /// <param name="repository">The bare repository's folder, or null for a command without one.</param>
    /// <param name="arguments">The command and its arguments.</param>
    /// <param name="protocol">The value of <c>GIT_PROTOCOL</c>, checked by the caller; null: unset.</param>
    /// <exception cref="TransientException">The program cannot be started.</exception>
    public GitChild Start(string? repository, IReadOnlyList<string> arguments, string? protocol = null) => Start(repository, arguments, protocol, held: null);

    /// <summary>Starts git as a writer: the child holds the lock as long as it lives, even when this process is killed.</summary>
    /// <exception cref="TransientException">The program cannot be started.</exception>
    public GitChild StartWriter(string? repository, IReadOnlyList<string> arguments, WriterLock held)
    {
        ArgumentNullException.ThrowIfNull(held);
        return Start(repository, arguments, protocol: null, held);
    }

    /// <summary>Runs a short reading command to its end.</summary>
    /// <exception cref="TransientException">The program cannot be started, or took too long.</exception>
    public async Task<GitResult> RunAsync(string? repository, IReadOnlyList<string> arguments, ReadOnlyMemory<byte> input, TimeSpan limit, CancellationToken cancellationToken)
    {
        await using var child = Start(repository, arguments);
        return await child.FinishAsync(input, limit, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Runs a short writing command to its end, under the lock.</summary>
    /// <exception cref="TransientException">The program cannot be started, or took too long.</exception>
    public async Task<GitResult> RunWriterAsync(string? repository, IReadOnlyList<string> arguments, WriterLock held, TimeSpan limit, CancellationToken cancellationToken)
    {
        await using var child = StartWriter(repository, arguments, held);
        return await child.FinishAsync(ReadOnlyMemory<byte>.Empty, limit, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Runs a command that talks to a remote, under the lock, in a process group of its own: at the time limit all that git started ends with it.
    /// </summary>
    /// <param name="repository">The bare repository's folder.</param>
    /// <param name="arguments">The command and its arguments.</param>
    /// <param name="environment">Further variables of the child alone.</param>
    /// <param name="held">The writer's lock.</param>
    /// <param name="limit">The most time.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="TransientException">A program cannot be started, took too long or said too much.</exception>
    internal async Task<GitResult> RunRemoteAsync(
        string repository, IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string> environment, WriterLock held, TimeSpan limit, CancellationToken cancellationToken)
    {
        await using var child = Start(repository, arguments, protocol: null, held, environment);
        return await child.FinishAsync(ReadOnlyMemory<byte>.Empty, limit, cancellationToken).ConfigureAwait(false);
    }

    private GitChild Start(string? repository, IReadOnlyList<string> arguments, string? protocol, WriterLock? held, IReadOnlyDictionary<string, string>? remote = null)
    {
        ArgumentNullException.ThrowIfNull(arguments);
        var start = Describe(repository, arguments, protocol, ownGroup: remote is not null);
        foreach (var (name, value) in remote ?? NoVariables) start.Environment[name] = value;
        // For each object fast-import takes a quarter of a megabyte for zlib and gives it back, and the C library gives it on to the system and
        // fetches it again: half of its processor time. So memory once taken is kept, for as long as the short-lived child lives.
        if (held is not null) start.Environment["MALLOC_TRIM_THRESHOLD_"] = "134217728";
        var process = new Process { StartInfo = start };
        lock (StartGate)
        {
            if (held is not null) Libc.SetInherited(held.Descriptor, inherited: true);
            try
            {
                process.Start();
            }
            catch (Win32Exception e)
            {
                process.Dispose();
                throw new TransientException("git-away", $"the program {start.FileName} cannot be started", e);
            }
            finally
            {
                if (held is not null) Libc.SetInherited(held.Descriptor, inherited: false);
            }
        }

        return new GitChild(process, arguments, leadsGroup: remote is not null);
    }

    private ProcessStartInfo Describe(string? repository, IReadOnlyList<string> arguments, string? protocol, bool ownGroup)
    {
        // setsid becomes git, under the same process id, as the leader of a new group.
        var start = new ProcessStartInfo(ownGroup ? "setsid" : program)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
            WorkingDirectory = "/",
        };
        start.Environment.Clear();
        start.Environment["PATH"] = Environment.GetEnvironmentVariable("PATH") ?? "/usr/local/bin:/usr/bin:/bin";
        start.Environment["HOME"] = home;
        start.Environment["LC_ALL"] = "C";
        start.Environment["GIT_CONFIG_NOSYSTEM"] = "1";
        start.Environment["GIT_CONFIG_GLOBAL"] = "/dev/null";
        start.Environment["GIT_TERMINAL_PROMPT"] = "0";
        if (protocol is not null) start.Environment["GIT_PROTOCOL"] = protocol;

        if (ownGroup) start.ArgumentList.Add(program);
        // The data folder may belong to another user than the service: the operator put it there, git need not doubt it.
        start.ArgumentList.Add("-c");
        start.ArgumentList.Add("safe.directory=*");
        if (repository is not null) start.ArgumentList.Add($"--git-dir={repository}");
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        return start;
    }
}
