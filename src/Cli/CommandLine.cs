using System.CommandLine;
using Pipeline.Cli.Commands;
using Pipeline.Cli.Output;

namespace Pipeline.Cli;

/// <summary>The `pipeline` command: reads the command line, runs one command, and turns its end into an exit code.</summary>
public static class CommandLine
{
    /// <summary>Runs one command line.</summary>
    /// <returns>One of <see cref="ExitCodes"/>.</returns>
    public static async Task<int> RunAsync(IReadOnlyList<string> args, Session session, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(session);
        session = session with { Output = new PlainWriter(session.Output), Error = new PlainWriter(session.Error) };
        // `@name` would otherwise be read as a file of further arguments.
        var parsed = Root(session).Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (parsed.Errors.Count > 0) return await ExplainAsync(parsed, session).ConfigureAwait(false);
        try
        {
            return await parsed.InvokeAsync(InvocationOf(parsed, session), cancellationToken).ConfigureAwait(false);
        }
        catch (CliException e)
        {
            await session.Error.WriteLineAsync($"error: {e.Message}").ConfigureAwait(false);
            return ExitCodes.Failed;
        }
        catch (OperationCanceledException)
        {
            await session.Error.WriteLineAsync("interrupted").ConfigureAwait(false);
            return ExitCodes.Failed;
        }
    }

    /// <summary>The tree of commands.</summary>
    public static RootCommand Root(Session session) => new("A Cargo registry: serves it, and looks after one that runs.")
    {
        ServeCommands.Up(session),
        ServeCommands.Api(session),
        ServeCommands.Worker(session),
        MigrateCommand.Create(session),
        RecoverCommand.Create(session),
        ReadOnlyCommand.Create(session),
        SquashCommand.Create(session),
        UserCommand.Create(session),
        TokenCommand.Create(session),
        CrateCommand.Create(session),
        VersionCommand.Create(session),
        PublishCommand.Create(session),
        StatusCommand.Create(session),
        FailedCommand.Create(session),
        ChangesCommand.Create(session),
        RebuildCommand.Create(session),
        WebhookCommand.Create(session),
        ReconcileCommand.Create(session),
        UpstreamCommand.Create(session),
        CheckCommand.Create(session),
        ImportCommand.Create(session),
        CommonOptions.Json,
    };

    private static InvocationConfiguration InvocationOf(ParseResult parsed, Session session) => new()
    {
        Output = session.Output,
        Error = session.Error,
        EnableDefaultExceptionHandler = false,
        // The server answers signals itself, and takes the time to finish what it began.
        ProcessTerminationTimeout = ServeCommands.Names.Contains(parsed.CommandResult.Command.Name) ? null : TimeSpan.FromSeconds(2),
    };

    private static async Task<int> ExplainAsync(ParseResult parsed, Session session)
    {
        foreach (var error in parsed.Errors) await session.Error.WriteLineAsync($"error: {error.Message}").ConfigureAwait(false);
        await session.Error.WriteLineAsync($"usage: {UsageOf(parsed.CommandResult.Command)} --help").ConfigureAwait(false);
        return ExitCodes.Usage;
    }

    private static string UsageOf(Command command)
    {
        var words = command is RootCommand ? "" : $" {command.Name}";
        var parent = command.Parents.OfType<Command>().FirstOrDefault();
        return parent is null ? $"pipeline{words}" : UsageOf(parent) + words;
    }
}
