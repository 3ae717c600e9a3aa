using System.Diagnostics;
using Pipeline.Tests.Serving;

namespace Pipeline.Tests.Cargo;

/// <summary>
/// Somebody's cargo, knowing one registry by the name <c>local</c> (cargo-client-behaviour §4.1): its home is fresh, everything is told
/// through the environment, and nothing but that registry can be reached.
/// </summary>
public sealed class CargoHome : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(4);
    private readonly TempFolder _folder = new();
    private readonly Dictionary<string, string?> _environment;

    /// <summary>A fresh home.</summary>
    /// <param name="index">The index of the registry <c>local</c>.</param>
    /// <param name="token">The token for it; null: none.</param>
    public CargoHome(string index, string? token)
    {
        Directory.CreateDirectory(_folder["home"]);
        _environment = new Dictionary<string, string?>
        {
            ["CARGO_HOME"] = _folder["home"],
            // One target folder, so that a crate is compiled once per home.
            ["CARGO_TARGET_DIR"] = _folder["target"],
            ["CARGO_REGISTRIES_LOCAL_INDEX"] = index,
            ["CARGO_REGISTRIES_LOCAL_TOKEN"] = token,
            ["CARGO_TERM_COLOR"] = "never",
            ["CARGO_NET_RETRY"] = "0",
            ["CARGO_INCREMENTAL"] = "0",
            ["CARGO_PROFILE_DEV_DEBUG"] = "0",
            ["GIT_CONFIG_GLOBAL"] = "/dev/null",
            ["GIT_CONFIG_NOSYSTEM"] = "1",
        };
        foreach (var proxy in new[] { "http_proxy", "https_proxy", "all_proxy" }) _environment[proxy] = _environment[proxy.ToUpperInvariant()] = null;
    }

    /// <summary>The home folder itself.</summary>
    public string Home => _folder["home"];

    /// <summary>Sets an environment variable of the commands to come; null: unsets it.</summary>
    public CargoHome With(string name, string? value)
    {
        _environment[name] = value;
        return this;
    }

    /// <summary>A package on disk, to be worked with here.</summary>
    public Package NewPackage(string name, string version = "0.1.0") => new(_folder[$"src-{Guid.NewGuid():n}"], name, version);

    /// <summary>A folder on disk, to be worked in.</summary>
    public string NewFolder() => Directory.CreateDirectory(_folder[$"src-{Guid.NewGuid():n}"]).FullName;

    /// <summary>Writes the configuration file of the home.</summary>
    public void Configure(string toml) => File.WriteAllText(Path.Combine(Home, "config.toml"), toml);

    /// <summary>The .crate that cargo made of a package when it published it.</summary>
    /// <remarks>Where it lies below the target folder differs between cargo's versions.</remarks>
    public byte[] Packaged(Package package) => File.ReadAllBytes(Directory.GetFiles(_folder["target"], package.FileName, SearchOption.AllDirectories)[0]);

    /// <summary>Publishes a package without building it first.</summary>
    public Task<CargoResult> PublishAsync(Package package) => RunAsync(package.Folder, "publish --registry local --allow-dirty --no-verify");

    /// <summary>Runs a command, its words separated by blanks, and waits for its end.</summary>
    public async Task<CargoResult> RunAsync(string folder, string command)
    {
        var start = new ProcessStartInfo(CargoProgram.File, command.Split(' '))
        {
            WorkingDirectory = folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("CARGO", StringComparison.Ordinal) || name.StartsWith("RUSTUP_TOOLCHAIN", StringComparison.Ordinal)).ToList())
            start.Environment.Remove(name);
        foreach (var (name, value) in _environment)
        {
            if (value is null) start.Environment.Remove(name);
            else start.Environment[name] = value;
        }

        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            await process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"cargo {command} did not end:\n{await error}");
        }

        return new CargoResult(command, process.ExitCode, await output, await error);
    }

    /// <inheritdoc/>
    public void Dispose() => _folder.Dispose();
}
