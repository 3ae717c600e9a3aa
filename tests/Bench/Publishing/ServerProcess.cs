using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Pipeline.Bench.Measuring;

namespace Pipeline.Bench.Publishing;

/// <summary>A standalone server on a fresh data folder, started as an operator starts it.</summary>
internal sealed class ServerProcess : IDisposable
{
    private readonly Process _process;
    private readonly string _folder;

    private readonly string _command;

    private ServerProcess(Process process, string command, string folder, int port)
    {
        _process = process;
        _command = command;
        _folder = folder;
        Port = port;
        Cpu = new ProcessCpu(process.Id);
    }

    /// <summary>Its port.</summary>
    public int Port { get; }

    /// <summary>Its data folder.</summary>
    public string Data => Path.Combine(_folder, "data");

    /// <summary>Its git index.</summary>
    public string GitIndex => Path.Combine(Data, "index.git");

    /// <summary>Its cost.</summary>
    public ProcessCpu Cpu { get; }

    /// <summary>Starts it and returns once it serves.</summary>
    /// <param name="command">The <c>pipeline</c> command of another build, to compare with; null: the one of these sources.</param>
    public static ServerProcess Start(string? command)
    {
        command ??= Path.Combine(RepositoryRoot.Path, "ops", "pipeline");
        var folder = RepositoryRoot.NewFolder("publish");
        var port = FreePort();
        // The script becomes the server, so its process id is the server's. The log goes to a file, as a service's does.
        var start = new ProcessStartInfo("/bin/bash") { RedirectStandardOutput = true, WorkingDirectory = RepositoryRoot.Path };
        foreach (var word in (string[])["-c", "exec \"$@\" 2>\"$0\"", Path.Combine(folder, "log"), command, "up", "--port", Text(port), "--data", Path.Combine(folder, "data"), "--no-rate-limits"])
            start.ArgumentList.Add(word);
        var process = Process.Start(start)!;
        var ready = process.StandardOutput.ReadLine();
        if (ready is null || !ready.StartsWith("ready ", StringComparison.Ordinal))
            throw new InvalidOperationException($"the server did not start: {File.ReadAllText(Path.Combine(folder, "log"))}");
        Report.Say($"server {process.Id} serves on {port}, data in {folder}");
        return new ServerProcess(process, command, folder, port);
    }

    /// <summary>Makes a user and returns a token of it.</summary>
    public string NewToken(string login)
    {
        Pipeline("user", "add", login, "--email", $"{login}@example.org");
        return Pipeline("token", "create", "--user", login).Trim();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private string Pipeline(params string[] words)
    {
        var start = new ProcessStartInfo(_command, words) { RedirectStandardOutput = true };
        start.Environment["PIPELINE_DATA"] = Data;
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? output : throw new InvalidOperationException($"pipeline {string.Join(' ', words)} ended with {process.ExitCode}");
    }

    private static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
