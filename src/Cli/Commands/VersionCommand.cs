using System.CommandLine;
using static Pipeline.Cli.Commands.CommonOptions;

namespace Pipeline.Cli.Commands;

/// <summary><c>pipeline version yank|unyank|delete</c>: single versions, whoever owns them.</summary>
internal static class VersionCommand
{
    public static Command Create(Session session) => new("version", "Single versions")
    {
        Yank(session, "yank", "Yank a version: new lock files leave it out, old ones still get it"),
        Yank(session, "unyank", "Take a yank back"),
        Delete(session),
    };

    private static Argument<string> Number() => new("VERSION") { Description = "The version" };

    private static Command Yank(Session session, string verb, string description)
    {
        var name = Crate();
        var version = Number();
        var command = new Command(verb, description) { name, version };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using var client = session.Connect();
            // The escaped verb is the verb: it is one of two words.
            var path = Path($"crates/{parsed.GetValue(name)}/{parsed.GetValue(version)}/{verb}");
            var answer = await client.SendAsync(HttpMethod.Put, path, null, cancellationToken).ConfigureAwait(false);
            return Say(session, parsed, answer, $"{answer.Text("crate")} {answer.Text("version")} is {(verb == "yank" ? "yanked" : "not yanked")}");
        });
        return command;
    }

    private static Command Delete(Session session)
    {
        var name = Crate();
        var version = Number();
        var yes = Yes();
        var command = new Command("delete", "Delete a version; its number stays taken") { name, version, yes };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var (crate, number) = (parsed.GetRequiredValue(name), parsed.GetRequiredValue(version));
            if (!parsed.GetValue(yes)) Confirm(session, $"Delete {crate} {number}?");
            using var client = session.Connect();
            var path = Path($"crates/{crate}/{number}");
            var answer = await client.SendAsync(HttpMethod.Delete, path, null, cancellationToken).ConfigureAwait(false);
            return Say(session, parsed, answer, $"{answer.Text("crate")} {number} deleted");
        });
        return command;
    }
}
