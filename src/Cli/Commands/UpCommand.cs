using System.CommandLine;
using System.Net;
using Pipeline.Cli.Hosting;

namespace Pipeline.Cli.Commands;

/// <summary><c>pipeline up</c>: serves the registry with all its parts in this process.</summary>
internal static class UpCommand
{
    public const string Name = "up";

    public static Command Create(Session session)
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
        var data = new Option<string?>("--data") { Description = "The data folder, instead of PIPELINE_DATA or .pipeline", HelpName = "DIR" };
        var noRateLimits = new Option<bool>("--no-rate-limits") { Description = "Let everybody publish and yank as often as they like" };
        var set = new Option<string[]>("--set") { Description = "A configuration key (ops/config.md), such as Publish:HoldSeconds=5", HelpName = "KEY=VALUE" };
        set.Validators.Add(static result =>
        {
            foreach (var token in result.Tokens)
            {
                if (token.Value.IndexOf('=', StringComparison.Ordinal) < 1) result.AddError($"--set takes KEY=VALUE, not {token.Value}");
            }
        });

        var command = new Command(Name, "Serve the registry, standalone; prints `ready URL` when it serves") { port, listen, data, noRateLimits, set };
        command.SetAction((parsed, cancellationToken) => ServeAsync(
            session,
            new HostSettings
            {
                Port = parsed.GetValue(port),
                Listen = parsed.GetValue(listen)!,
                Overrides = Overrides(parsed.GetValue(data), parsed.GetValue(noRateLimits), parsed.GetValue(set) ?? []),
            },
            cancellationToken));
        return command;
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
        catch (Exception e) when (!serves && e is InvalidOperationException or IOException or UnauthorizedAccessException)
        {
            // A key that does not fit, a folder or port that is taken: the message names it.
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
