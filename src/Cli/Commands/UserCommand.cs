using System.CommandLine;
using Pipeline.Api.Admin.Shapes;
using Pipeline.Cli.Output;
using static Pipeline.Cli.Commands.CommonOptions;

namespace Pipeline.Cli.Commands;

/// <summary><c>pipeline user add|list|lock|unlock</c>: accounts.</summary>
internal static class UserCommand
{
    public static Command Create(Session session) => new("user", "Accounts") { Add(session), List(session), Email(session), Lock(session), Unlock(session) };

    private static Command Add(Session session)
    {
        var login = Login();
        var email = new Option<string?>("--email") { Description = "The e-mail address; it counts as verified", HelpName = "ADDRESS" };
        var name = new Option<string?>("--name") { Description = "The name shown", HelpName = "NAME" };
        var admin = new Option<bool>("--admin") { Description = "Let the user administer the registry" };
        var command = new Command("add", "Make an account") { login, email, name, admin };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using var client = session.Connect();
            var answer = await client.SendAsync(
                HttpMethod.Post,
                "users",
                json =>
                {
                    json.WriteString("login", parsed.GetRequiredValue(login));
                    json.WriteString("name", parsed.GetValue(name));
                    json.WriteString("email", parsed.GetValue(email));
                    json.WriteBoolean("is_admin", parsed.GetValue(admin));
                },
                cancellationToken).ConfigureAwait(false);
            return Say(session, parsed, answer, $"user {answer.Text("user", "login")} added, id {answer.Text("user", "id")}");
        });
        return command;
    }

    private static Command List(Session session)
    {
        var limit = Limit();
        var cursor = Cursor();
        var command = new Command("list", "List accounts") { limit, cursor };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using var client = session.Connect();
            var path = Path($"users", ("limit", parsed.GetValue(limit)), ("cursor", parsed.GetValue(cursor)));
            var answer = await client.GetAsync(path, cancellationToken).ConfigureAwait(false);
            if (parsed.GetValue(Json)) return Print(session, answer);
            var page = answer.As(AdminJson.Default.UsersAnswer);
            Report.Table(
                session.Output,
                "no users",
                [">id", "login", "name", "e-mail", "admin", "locked", "since"],
                [.. page.Users.Select(user => new[]
                {
                    user.Id.ToString(System.Globalization.CultureInfo.InvariantCulture), user.Login, user.Name, user.Email,
                    user.IsAdmin ? "yes" : "", LockText(user), Times.Show(user.CreatedAt),
                })]);
            return More(session, page.NextCursor);
        });
        return command;
    }

    private static Command Email(Session session)
    {
        var login = Login();
        var address = new Argument<string>("ADDRESS") { Description = "The e-mail address, taken as verified" };
        var command = new Command("email", "Set an account's e-mail address; one that came back from a recovery has none") { login, address };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using var client = session.Connect();
            var answer = await client.SendAsync(
                HttpMethod.Put, Path($"users/{parsed.GetValue(login)}/email"), json => json.WriteString("email", parsed.GetRequiredValue(address)), cancellationToken).ConfigureAwait(false);
            return Say(session, parsed, answer, $"user {answer.Text("user", "login")} has the address {answer.Text("user", "email")}");
        });
        return command;
    }

    private static Command Lock(Session session)
    {
        var login = Login();
        var reason = new Option<string>("--reason") { Description = "Why; the user is told", HelpName = "TEXT", Required = true };
        var until = Time("--until", "Until when; without it: without end", ahead: true);
        var command = new Command("lock", "Lock an account: its tokens stop working") { login, reason, until };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using var client = session.Connect();
            var answer = await client.SendAsync(
                HttpMethod.Put,
                Path($"users/{parsed.GetValue(login)}/lock"),
                json =>
                {
                    json.WriteString("reason", parsed.GetRequiredValue(reason));
                    if (parsed.GetValue(until) is { } time) json.WriteString("until", time);
                },
                cancellationToken).ConfigureAwait(false);
            var user = answer.As(AdminJson.Default.UserAnswer).User;
            return Say(session, parsed, answer, $"user {user.Login} locked {LockText(user)}");
        });
        return command;
    }

    private static Command Unlock(Session session)
    {
        var login = Login();
        var command = new Command("unlock", "Unlock an account") { login };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using var client = session.Connect();
            var path = Path($"users/{parsed.GetValue(login)}/lock");
            var answer = await client.SendAsync(HttpMethod.Delete, path, null, cancellationToken).ConfigureAwait(false);
            return Say(session, parsed, answer, $"user {answer.Text("user", "login")} unlocked");
        });
        return command;
    }

    private static string LockText(UserShape user) => user switch
    {
        { LockReason: null } => "",
        { LockedUntil: null } => $"without end: {user.LockReason}",
        _ => $"until {Times.Show(user.LockedUntil)}: {user.LockReason}",
    };
}
