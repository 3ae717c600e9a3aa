using System.Diagnostics;

namespace Pipeline.Tests.Services;

/// <summary>
/// Private instances of the real services (<c>ops/services</c>). The shared ones are started once, by the first test that asks, and ended
/// with this process, or by <c>ops/test</c> where that named their folder in <c>PIPELINE_SERVICES</c>. A test that kills or configures one has its own.
/// </summary>
public sealed class RealServices : IAsyncDisposable
{
    private static readonly SemaphoreSlim Gate = new(1);
    private static RealServices? s_shared;

    private readonly string _folder;
    private readonly bool _ours;

    private RealServices(string folder, bool ours)
    {
        _folder = folder;
        _ours = ours;
    }

    /// <summary>What <c>ops/services</c> exports: the environment that configures a process for the services.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; private set; } = new Dictionary<string, string>();

    /// <summary>Where they keep what they have, each in a folder of its name.</summary>
    public string Folder => _folder;

    /// <summary>One exported value.</summary>
    public string this[string variable] =>
        Environment.TryGetValue(variable, out var value) ? value : throw new InvalidOperationException($"no service exports {variable}; there are: {string.Join(", ", Environment.Keys)}");

    /// <summary>The shared instances, with at least these running. Tests keep apart by a database, virtual host or bucket of their own.</summary>
    /// <param name="names">As <c>ops/services</c> knows them: <c>postgres</c>, <c>rabbitmq</c>, <c>s3</c>.</param>
    public static async Task<RealServices> SharedAsync(params string[] names)
    {
        await Gate.WaitAsync();
        try
        {
            if (s_shared is null)
            {
                var given = System.Environment.GetEnvironmentVariable("PIPELINE_SERVICES");
                s_shared = new RealServices(given ?? Directory.CreateTempSubdirectory("services-").FullName, ours: given is null);
                if (given is null) AppDomain.CurrentDomain.ProcessExit += static (_, _) => s_shared.End();
            }

            await s_shared.EnsureAsync(names, []);
            return s_shared;
        }
        finally
        {
            Gate.Release();
        }
    }

    /// <summary>Instances of the test's own.</summary>
    /// <param name="names">Which.</param>
    /// <param name="options">Options of <c>ops/services start</c>: <c>--durable</c>, <c>--origin HOST:PORT</c>.</param>
    public static async Task<RealServices> StartAsync(string[] names, params string[] options)
    {
        var services = new RealServices(Directory.CreateTempSubdirectory("services-").FullName, ours: true);
        await services.EnsureAsync(names, options);
        return services;
    }

    /// <summary>The power goes.</summary>
    public Task KillAsync(string name) => RunAsync(["kill", "--dir", _folder, name]);

    /// <summary>And comes back.</summary>
    public Task RestartAsync(string name) => RunAsync(["restart", "--dir", _folder, name]);

    /// <summary>It ends orderly and starts again.</summary>
    public Task RebootAsync(string name) => RunAsync(["reboot", "--dir", _folder, name]);

    /// <summary>The same, and it has forgotten everything.</summary>
    public Task WipeAsync(string name) => RunAsync(["wipe", "--dir", _folder, name]);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (!_ours || this == s_shared) return;
        await RunAsync(["stop", "--dir", _folder]);
        Directory.Delete(_folder, recursive: true);
    }

    private async Task EnsureAsync(string[] names, string[] options)
    {
        if (names.All(name => File.Exists(Path.Combine(_folder, name, "env"))) && Environment.Count > 0) return;
        var lines = await RunAsync(["start", "--dir", _folder, .. options, .. names]);
        Environment = lines.Split('\n')
            .Where(line => line.StartsWith("export ", StringComparison.Ordinal))
            .SelectMany(line => line["export ".Length..].Split(" PIPELINE__").Select((part, i) => i == 0 ? part : "PIPELINE__" + part))
            .Select(assignment => assignment.Split('=', 2))
            .ToDictionary(pair => pair[0], pair => pair[1].Trim('\''));
    }

    private void End()
    {
        RunAsync(["stop", "--dir", _folder]).GetAwaiter().GetResult();
        Directory.Delete(_folder, recursive: true);
    }

    private static async Task<string> RunAsync(IEnumerable<string> arguments)
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Pipeline.sln"))) folder = folder.Parent ?? throw new InvalidOperationException("the tests do not run from a build of the repository");
        var start = new ProcessStartInfo(Path.Combine(folder.FullName, "ops", "services"), arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        // The servers keep the script's standard error open only in their logs, so both ends close with the script.
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        return process.ExitCode == 0 ? await output : throw new InvalidOperationException($"ops/services {string.Join(' ', arguments)} failed:\n{await errors}");
    }
}
