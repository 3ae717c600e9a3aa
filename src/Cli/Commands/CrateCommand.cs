using System.CommandLine;
using System.Globalization;
using Pipeline.Api.Admin.Shapes;
using Pipeline.Cli.Connection;
using Pipeline.Cli.Output;
using static Pipeline.Cli.Commands.CommonOptions;

namespace Pipeline.Cli.Commands;

/// <summary><c>pipeline crate show|delete</c>: crates as their operator sees them.</summary>
internal static class CrateCommand
{
    public static Command Create(Session session) => new("crate", "Crates") { Show(session), Delete(session) };

    private static Command Show(Session session)
    {
        var name = Crate();
        var command = new Command("show", "Show a crate, its versions and how far its projections have got") { name };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using var client = session.Connect();
            var path = Path($"crates/{parsed.GetValue(name)}");
            var answer = await client.GetAsync(path, cancellationToken).ConfigureAwait(false);
            if (parsed.GetValue(Json)) return Print(session, answer);
            Tell(session.Output, answer.As(AdminJson.Default.CrateAnswer).Crate);
            return ExitCodes.Succeeded;
        });
        return command;
    }

    private static Command Delete(Session session)
    {
        var name = Crate();
        var yes = Yes();
        var delay = new Option<double?>("--availability-delay")
        {
            Description = "Hours until the name may be used again, as configured (24) unless said otherwise; 0 frees name, numbers and bytes at once",
            HelpName = "HOURS",
        };
        delay.Validators.Add(static result =>
        {
            if (result.GetValueOrDefault<double?>() is not (null or (>= 0 and <= 876_000))) result.AddError("--availability-delay is a number of hours, 0 or more");
        });
        var command = new Command("delete", "Delete a crate with all its versions") { name, yes, delay };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var crate = parsed.GetRequiredValue(name);
            if (!parsed.GetValue(yes)) Confirm(session, $"Delete {crate} with all its versions?");
            using var client = session.Connect();
            var path = Path($"crates/{crate}", ("availability_delay_hours", parsed.GetValue(delay)));
            var answer = await client.SendAsync(HttpMethod.Delete, path, null, cancellationToken).ConfigureAwait(false);
            return Say(session, parsed, answer, Tell(answer));
        });
        return command;
    }

    private static string Tell(Answer deletion)
    {
        var free = DateTimeOffset.TryParse(deletion.Text("available_at"), CultureInfo.InvariantCulture, out var at) && at > DateTimeOffset.UtcNow
            ? $"after {Times.Show(at.UtcDateTime)}"
            : "now";
        return $"crate {deletion.Text("crate")} deleted; its name may be used again {free}";
    }

    private static void Tell(TextWriter output, CrateShape crate)
    {
        Report.Facts(
            output,
            ("crate", crate.Name),
            ("state", crate.State),
            ("description", crate.Description?.Trim()),
            ("default version", crate.DefaultVersion),
            ("owners", string.Join(", ", crate.Owners)),
            ("revision", crate.Revision.ToString(CultureInfo.InvariantCulture)),
            ("published", Times.Show(crate.CreatedAt)),
            ("changed", Times.Show(crate.UpdatedAt)),
            ("deleted", crate.DeletedAt is null ? null : Times.Show(crate.DeletedAt)),
            ("available", crate.AvailableAt is null ? null : Times.Show(crate.AvailableAt)));
        Report.Table(
            output,
            "no versions",
            ["version", "state", ">size", "published", "by", "checksum"],
            [.. crate.Versions.Select(version => new[]
            {
                version.Num, StateOf(version), Describe.Size(version.Size), Times.Show(version.PublishedAt), version.PublishedBy, version.Checksum,
            })]);
        Report.Table(
            output,
            "no projections",
            ["projection", ">shows", ">of", "since", "lagging since", "last error"],
            [.. crate.Projections.Select(projection => new[]
            {
                projection.Target.Length == 0 ? projection.Kind : $"{projection.Kind} {projection.Target}",
                Describe.Count(projection.Reached), Describe.Count(projection.Wanted), Times.Show(projection.ReachedAt),
                Times.Show(projection.BehindSince), projection.LastError,
            })]);
    }

    private static string StateOf(VersionShape version) => version switch
    {
        { Freed: true } => "deleted, number free",
        { State: "deleted" } => "deleted",
        { Yanked: true } => "yanked",
        _ => version.State,
    };
}
