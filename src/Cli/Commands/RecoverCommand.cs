using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Pipeline.Cli.Hosting;
using Pipeline.Cli.Output;
using Pipeline.Registry.Database;
using Pipeline.Registry.Failures;
using Pipeline.Registry.Identity;
using Pipeline.Workers.Recovery;

namespace Pipeline.Cli.Commands;

/// <summary>
/// <c>pipeline recover</c>: makes the database's truth again from what lies in the object store, of a new database or a restored backup. Like
/// <c>migrate</c> it works on the database itself, with every process of the registry stopped.
/// </summary>
internal static class RecoverCommand
{
    // A process without a sign of life for so long is dead (ThisProcess).
    private const long AliveWithin = 60 * Microseconds.Second;

    public static Command Create(Session session)
    {
        var (data, set) = (ServeCommands.DataOption(), ServeCommands.SetOption());
        var dryRun = new Option<bool>("--dry-run") { Description = "Only say what would be restored; the schema is brought up to date all the same" };
        var command = new Command(
            "recover",
            "Make the database's truth again from the records, bytes and index in the object store. Everything else must be stopped. The registry then has a new epoch and is read-only until a reconcile run finds nothing")
        {
            dryRun, data, set,
        };
        command.SetAction((parsed, cancellationToken) => RunAsync(session, parsed, parsed.GetValue(dryRun), ServeCommands.Overrides(parsed.GetValue(data), false, parsed.GetValue(set) ?? []), cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(Session session, ParseResult parsed, bool dryRun, Dictionary<string, string?> overrides, CancellationToken cancellationToken)
    {
        try
        {
            var registry = StoppedRegistry.Open(session, overrides);
            await using (registry.ConfigureAwait(false))
            {
                var (_, hasNewToken) = await Preparation.MigrateAsync(registry.Database, registry.Folder, AdminToken.WhenMissing, cancellationToken).ConfigureAwait(false);
                if (!registry.IsAlone) await RequireAloneAsync(registry.Database, cancellationToken).ConfigureAwait(false);
                var report = await new RegistryRecovery(registry.Database, registry.Store).RunAsync(dryRun, Progress(session), cancellationToken).ConfigureAwait(false);
                if (parsed.GetValue(CommonOptions.Json)) session.Output.WriteLine(JsonSerializer.Serialize(report, RecoveryJson.Default.RecoveryReport));
                else Tell(session.Output, report, hasNewToken ? registry.Folder.AdminToken : null);
                return report.LacksBytes ? ExitCodes.Failed : ExitCodes.Succeeded;
            }
        }
        catch (Exception e) when (e is InvalidOperationException or IOException or UnauthorizedAccessException or TransientException or InvalidDataException or JsonException)
        {
            throw new CliException(e.Message, e);
        }
    }

    // SQLite's data folder is locked by whoever uses it; PostgreSQL's processes say that they live.
    private static async Task RequireAloneAsync(IDatabase database, CancellationToken cancellationToken)
    {
        var alive = await database.ReadAsync(
            static sql => sql.LongAsync("SELECT COUNT(*) FROM processes WHERE seen_at > now_us() - $1", AliveWithin), cancellationToken).ConfigureAwait(false);
        if (alive > 0) throw new CliException($"{alive} processes of the registry are alive or died within the last minute: stop them all, wait a minute, and try again");
    }

    private static Action<long, long> Progress(Session session)
    {
        var said = Environment.TickCount64;
        return (done, all) =>
        {
            if (Environment.TickCount64 - said < 2000) return;
            said = Environment.TickCount64;
            session.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{done} of {all} crates"));
        };
    }

    private static void Tell(TextWriter output, RecoveryReport report, string? tokenFile)
    {
        Report.Facts(
            output,
            ("crates looked at", Describe.Count(report.Crates)),
            ("crates restored", Describe.Count(report.CratesRestored)),
            ("versions restored", Describe.Count(report.VersionsRestored)),
            ("versions changed", Describe.Count(report.VersionsChanged)),
            ("users restored", Describe.Count(report.UsersRestored)),
            ("publishes accepted", Describe.Count(report.PublishesAccepted)),
            ("publishes given up", Describe.Count(report.PublishesGivenUp)),
            ("new epoch", report.Epoch ?? "none: nothing was written"));
        if (report.Notes.Count > 0)
            Report.Table(output, "", ["note", "crate", "version"], [.. report.Notes.Select(static note => new[] { note.Kind, note.Crate, note.Num })]);
        if (tokenFile is not null) output.WriteLine($"the administrator's token is in {tokenFile}");
        if (report.Epoch is null) return;
        output.WriteLine("The registry is read-only. Start it, run `pipeline reconcile --repair`, then `pipeline reconcile`: when that finds nothing, it takes writes again.");
        output.WriteLine("Tokens are nowhere but in the lost database: make new ones with `pipeline token create`.");
    }
}

/// <summary>The report as JSON.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(RecoveryReport))]
internal sealed partial class RecoveryJson : JsonSerializerContext;
