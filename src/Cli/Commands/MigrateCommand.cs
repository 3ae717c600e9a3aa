using System.CommandLine;
using Pipeline.Cli.Hosting;
using Pipeline.Registry.Failures;
using Pipeline.Registry.Identity;

namespace Pipeline.Cli.Commands;

/// <summary>
/// <c>pipeline migrate</c>: brings the database to this program's schema, once for all processes that share it. Migrations only go forward;
/// processes of the version before go on beside them.
/// </summary>
internal static class MigrateCommand
{
    public static Command Create(Session session)
    {
        var (data, set) = (ServeCommands.DataOption(), ServeCommands.SetOption());
        var adminToken = new Option<bool>("--admin-token") { Description = "Write a new administrator's token into the data folder, also when the registry has its administrator already" };
        var command = new Command("migrate", "Apply what the database lacks of the schema; on a new one also make the registry and its administrator") { data, set, adminToken };
        command.SetAction((parsed, cancellationToken) => RunAsync(
            session,
            ServeCommands.Overrides(parsed.GetValue(data), false, parsed.GetValue(set) ?? []),
            parsed.GetValue(adminToken) ? AdminToken.Always : AdminToken.WithAccount,
            cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(Session session, Dictionary<string, string?> overrides, AdminToken token, CancellationToken cancellationToken)
    {
        try
        {
            var registry = StoppedRegistry.Open(session, overrides);
            await using (registry.ConfigureAwait(false))
            {
                var (applied, hasNewToken) = await Preparation.MigrateAsync(registry.Database, registry.Folder, token, cancellationToken).ConfigureAwait(false);
                await TellAsync(session, applied, hasNewToken ? registry.Folder.AdminToken : null).ConfigureAwait(false);
            }

            return ExitCodes.Succeeded;
        }
        catch (Exception e) when (e is InvalidOperationException or IOException or UnauthorizedAccessException or TransientException)
        {
            throw new CliException(e.Message, e);
        }
    }

    private static async Task TellAsync(Session session, IReadOnlyList<string> applied, string? tokenFile)
    {
        foreach (var name in applied) await session.Output.WriteLineAsync($"applied {name}").ConfigureAwait(false);
        if (applied.Count == 0) await session.Output.WriteLineAsync("nothing to apply").ConfigureAwait(false);
        if (tokenFile is not null) await session.Output.WriteLineAsync($"the administrator's token is in {tokenFile}").ConfigureAwait(false);
    }
}
