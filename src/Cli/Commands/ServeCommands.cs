using System.CommandLine;
using System.Net;
using Pipeline.Cli.Hosting;
using Pipeline.Registry.Failures;
using Pipeline.Workers;

namespace Pipeline.Cli.Commands;

/// <summary>
/// <c>pipeline up</c>, <c>api</c> and <c>worker</c>: run the registry, with all its parts in this process, or the parts of the distributed shape.
/// </summary>
internal static class ServeCommands
{
    /// <summary>The names of the commands that run until they are told to stop.</summary>
    public static readonly IReadOnlySet<string> Names = new HashSet<string>(["up", "api", "worker"], StringComparer.Ordinal);

    /// <summary>Everything in one process.</summary>
    public static Command Up(Session session) =>
        Http(session, "up", "Serve the registry, standalone; prints `ready URL` when it serves", HostRole.Everything);

    /// <summary>The HTTP surface.</summary>
    public static Command Api(Session session) =>
        Http(session, "api", "Serve the HTTP surface alone, over shared services; prints `ready URL` when it serves", HostRole.Api);

    /// <summary>Workers.</summary>
    public static Command Worker(Session session)
    {
        var (data, set) = (DataOption(), SetOption());
        var only = new Option<string[]>("--only") { Description = "The queues to serve; all of them if left out", HelpName = "QUEUE", AllowMultipleArgumentsPerToken = true };
        var queues = WorkerCatalogue.All.Select(static worker => worker.Stage.Queue).ToList();
        only.Validators.Add(result =>
        {
            foreach (var token in result.Tokens)
            {
                if (!queues.Contains(token.Value)) result.AddError($"--only takes a queue, not {token.Value}; there are: {string.Join(", ", queues)}");
            }
        });
        var command = new Command("worker", $"Serve queues alone, over shared services; prints `ready QUEUE…` when it does. The queues: {string.Join(", ", queues)}") { only, data, set };
        command.SetAction((parsed, cancellationToken) =>
        {
            var settings = Overrides(parsed.GetValue(data), false, parsed.GetValue(set) ?? []);
            foreach (var (queue, i) in (parsed.GetValue(only) ?? []).Select(static (queue, i) => (queue, i))) settings[$"Workers:Only:{i}"] = queue;
            return ServeAsync(session, new HostSettings { Role = HostRole.Worker, Overrides = settings }, cancellationToken);
        });
        return command;
    }

    private static Command Http(Session session, string name, string description, HostRole role)
    {
        var port = new Option<int>("--port") { Description = "The port to listen on; 0: any free one", HelpName = "PORT", DefaultValueFactory = _ => 7878 };
        port.Validators.Add(static result =>
        {
            if (result.GetValueOrDefault<int>() is < 0 or > 65535) result.AddError("--port is a number from 0 to 65535");
        });
        var listen = new Option<string>("--listen") { Description = "The address to listen on", HelpName = "ADDRESS", DefaultValueFactory = _ => "127.0.0.1" };
        listen.Validators.Add(static result =>
        {
            if (!IPAddress.TryParse(result.GetValueOrDefault<string>(), out _)) result.AddError("--listen is an IP address");
        });
        var noRateLimits = new Option<bool>("--no-rate-limits") { Description = "Let everybody publish and yank as often as they like" };
        var (data, set) = (DataOption(), SetOption());
        var command = new Command(name, description) { port, listen, data, noRateLimits, set };
        command.SetAction((parsed, cancellationToken) => ServeAsync(
            session,
            new HostSettings
            {
                Role = role,
                Port = parsed.GetValue(port),
                Listen = parsed.GetValue(listen)!,
                Overrides = Overrides(parsed.GetValue(data), parsed.GetValue(noRateLimits), parsed.GetValue(set) ?? []),
            },
            cancellationToken));
        return command;
    }

    internal static Option<string?> DataOption() => new("--data") { Description = "The data folder, instead of PIPELINE_DATA or .pipeline", HelpName = "DIR" };

    internal static Option<string[]> SetOption()
    {
        var set = new Option<string[]>("--set") { Description = "A configuration key (ops/config.md), such as Publish:HoldSeconds=5", HelpName = "KEY=VALUE" };
        set.Validators.Add(static result =>
        {
            foreach (var token in result.Tokens)
            {
                if (token.Value.IndexOf('=', StringComparison.Ordinal) < 1) result.AddError($"--set takes KEY=VALUE, not {token.Value}");
            }
        });
        return set;
    }

    /// <summary>Configuration keys as the command line sets them.</summary>
    internal static Dictionary<string, string?> Overrides(string? data, bool noRateLimits, IEnumerable<string> set)
    {
        var settings = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);
        if (data is not null) settings["Registry:Data"] = Path.GetFullPath(data);
        if (noRateLimits) settings["RateLimits:Enabled"] = bool.FalseString;
        foreach (var item in set)
        {
            var at = item.IndexOf('=', StringComparison.Ordinal);
            settings[item[..at].Replace("__", ":", StringComparison.Ordinal)] = item[(at + 1)..];
        }

        return settings;
    }

    private static async Task<int> ServeAsync(Session session, HostSettings settings, CancellationToken cancellationToken)
    {
        var serves = false;
        try
        {
            return await PipelineHost.RunAsync(settings with { Ready = Ready }, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (!serves && e is InvalidOperationException or IOException or UnauthorizedAccessException or TransientException)
        {
            // A key that does not fit, a folder or port that is taken, a database that is away: the message names it.
            throw new CliException(e.Message, e);
        }

        void Ready(string url)
        {
            serves = true;
            session.Output.WriteLine($"ready {url}");
            session.Output.Flush();
        }
    }
}
