using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Pipeline.Bench.Measuring;

namespace Pipeline.Bench.Publishing;

/// <summary>One process of the <c>pipeline</c> command, started as an operator starts it.</summary>
internal sealed class ServerProcess : IDisposable
{
    private readonly Process _process;

    private ServerProcess(Process process)
    {
        _process = process;
        Cpu = new ProcessCpu(process.Id);
    }

    /// <summary>Its cost.</summary>
    public ProcessCpu Cpu { get; }

    /// <summary>Starts one and returns once it says that it is ready.</summary>
    /// <param name="command">The <c>pipeline</c> command.</param>
    /// <param name="log">Where its log goes: a file, as a service's does.</param>
    /// <param name="environment">Environment variables.</param>
    /// <param name="words">What it is to do.</param>
    public static ServerProcess Start(string command, string log, IReadOnlyDictionary<string, string> environment, params string[] words)
    {
        // The script becomes the server, so its process id is the server's.
        var start = new ProcessStartInfo("/bin/bash", ["-c", "exec \"$@\" 2>\"$0\"", log, command, .. words]) { RedirectStandardOutput = true, WorkingDirectory = RepositoryRoot.Path };
        foreach (var (name, value) in environment) start.Environment[name] = value;
        var process = Process.Start(start)!;
        var ready = process.StandardOutput.ReadLine();
        if (ready is null || !ready.StartsWith("ready ", StringComparison.Ordinal)) throw new InvalidOperationException($"the server did not start: {File.ReadAllText(log)}");
        Report.Say($"process {process.Id}: {string.Join(' ', words)}");
        return new ServerProcess(process);
    }

    /// <summary>Runs a command to its end and returns what it prints.</summary>
    public static string Run(string command, IReadOnlyDictionary<string, string> environment, params string[] words)
    {
        var start = new ProcessStartInfo(command, words) { RedirectStandardOutput = true };
        foreach (var (name, value) in environment) start.Environment[name] = value;
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? output : throw new InvalidOperationException($"{Path.GetFileName(command)} {string.Join(' ', words)} ended with {process.ExitCode}");
    }

    /// <summary>Makes a user and returns a token of it.</summary>
    public static string NewToken(string command, IReadOnlyDictionary<string, string> environment, string login)
    {
        Run(command, environment, "user", "add", login, "--email", $"{login}@example.org");
        return Run(command, environment, "token", "create", "--user", login).Trim();
    }

    /// <summary>A port that nothing listens on.</summary>
    public static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    /// <summary>A number as a word of a command line.</summary>
    public static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    /// <inheritdoc/>
    public void Dispose()
    {
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }
}
