using System.CommandLine;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Pipeline.Api.Admin.Shapes;
using Pipeline.Cli.Output;
using static Pipeline.Cli.Commands.CommonOptions;

namespace Pipeline.Cli.Commands;

/// <summary><c>pipeline webhook add|list|show|remove</c>: who is told of changes.</summary>
internal static class WebhookCommand
{
    private const int SecretBytes = 32;

    public static Command Create(Session session) =>
        new("webhook", "Who is told of publishes, yanks and other changes") { Add(session), List(session), Show(session), Remove(session) };

    private static Command Add(Session session)
    {
        var url = new Argument<string>("URL") { Description = "Where notices are sent" };
        var secret = new Option<string?>("--secret-file") { Description = "A file with the secret that notices are signed with; else one is made up and printed, and nothing else, this one time", HelpName = "FILE" };
        var kinds = new Option<string[]>("--kind") { Description = "Only these changes: publish, yank, unyank, delete, owners", HelpName = "KIND" };
        var crates = new Option<string[]>("--crate") { Description = "Only these crates: a name, or the start of one and *", HelpName = "PATTERN" };
        var since = new Option<string?>("--since") { Description = "Tell it what comes behind this cursor of `pipeline changes`, or everything from `start`; else what happens from now on", HelpName = "CURSOR" };
        var command = new Command("add", "Tell a URL of changes from now on") { url, secret, kinds, crates, since };
        command.Validators.Add(result =>
        {
            if (result.GetValue(Json) && result.GetValue(secret) is null) result.AddError("--json needs --secret-file: an answer does not show a secret");
        });
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var made = parsed.GetValue(secret) is null ? $"whsec_{Convert.ToBase64String(RandomNumberGenerator.GetBytes(SecretBytes))}" : null;
            var given = made ?? Read(parsed.GetValue(secret)!);
            using var client = session.Connect();
            var answer = await client.SendAsync(
                HttpMethod.Post,
                "webhooks",
                json =>
                {
                    json.WriteString("url", parsed.GetRequiredValue(url));
                    json.WriteString("secret", given);
                    WriteList(json, "kinds", parsed.GetValue(kinds));
                    WriteList(json, "crates", parsed.GetValue(crates));
                    if (parsed.GetValue(since) is { } from) json.WriteString("since", from);
                },
                cancellationToken).ConfigureAwait(false);
            var sentence = $"webhook {answer.Text("webhook", "id")} added";
            if (made is null) return Say(session, parsed, answer, sentence);
            await session.Error.WriteLineAsync(sentence).ConfigureAwait(false);
            await session.Output.WriteLineAsync(made).ConfigureAwait(false);
            return ExitCodes.Succeeded;
        });
        return command;
    }

    private static Command List(Session session)
    {
        var command = new Command("list", "List webhooks");
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using var client = session.Connect();
            var answer = await client.GetAsync("webhooks", cancellationToken).ConfigureAwait(false);
            if (parsed.GetValue(Json)) return Print(session, answer);
            Report.Table(
                session.Output,
                "no webhooks",
                [">id", "url", "kinds", "crates", ">behind", ">failing", ">given up", "next try", "last delivered", "last error"],
                [.. answer.As(AdminJson.Default.WebhooksAnswer).Webhooks.Select(static hook => new[]
                {
                    hook.Id.ToString(CultureInfo.InvariantCulture), hook.Url, Listed(hook.Kinds), Listed(hook.Crates), Describe.Count(hook.Behind), Describe.Count(hook.Failing),
                    Describe.Count(hook.GivenUp), Times.Show(hook.NextTryAt), Times.Show(hook.LastDeliveredAt), hook.LastError,
                })]);
            return ExitCodes.Succeeded;
        });
        return command;
    }

    private static Command Show(Session session)
    {
        var id = Id();
        var command = new Command("show", "Show one webhook and how far it has been told") { id };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using var client = session.Connect();
            var answer = await client.GetAsync(Path($"webhooks/{parsed.GetValue(id)}"), cancellationToken).ConfigureAwait(false);
            if (parsed.GetValue(Json)) return Print(session, answer);
            var hook = answer.As(AdminJson.Default.WebhookAnswer).Webhook;
            Report.Facts(
                session.Output,
                ("url", hook.Url),
                ("kinds", Listed(hook.Kinds)),
                ("crates", Listed(hook.Crates)),
                ("added", Times.Show(hook.CreatedAt)),
                ("told up to", hook.Cursor),
                ("behind", $"{Describe.Count(hook.Behind)} changes"),
                ("last delivered", hook.LastDeliveredAt is { } delivered ? Times.Show(delivered) : "never"),
                ("failing", hook.Failing == 0 ? null : $"{Describe.Count(hook.Failing)} times in a row, the next notice {Describe.Count(hook.Attempts)} times"),
                ("last error", hook.LastError),
                ("next try", hook.NextTryAt is { } next ? Times.Show(next) : null),
                ("given up", hook.GivenUp == 0 ? null : $"{Describe.Count(hook.GivenUp)} notices: pipeline failed list --stage send-notices"));
            return ExitCodes.Succeeded;
        });
        return command;
    }

    private static Command Remove(Session session)
    {
        var id = Id();
        var command = new Command("remove", "Tell a webhook nothing more") { id };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using var client = session.Connect();
            var answer = await client.SendAsync(HttpMethod.Delete, Path($"webhooks/{parsed.GetValue(id)}"), null, cancellationToken).ConfigureAwait(false);
            return Say(session, parsed, answer, $"webhook {answer.Text("webhook", "id")} removed");
        });
        return command;
    }

    private static Argument<long> Id() => new("ID") { Description = "The webhook's id, as `webhook list` shows it" };

    private static string Listed(IReadOnlyList<string> texts) => texts.Count == 0 ? "all" : string.Join(' ', texts);

    private static string Read(string file)
    {
        try
        {
            return File.ReadAllText(file).Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CliException($"{file} cannot be read: {e.Message}", e);
        }
    }

    private static void WriteList(Utf8JsonWriter json, string name, string[]? texts)
    {
        if (texts is not { Length: > 0 }) return;
        json.WriteStartArray(name);
        foreach (var text in texts) json.WriteStringValue(text);
        json.WriteEndArray();
    }
}
