using System.CommandLine;
using System.Text.Json;
using Pipeline.Api.Admin.Shapes;
using Pipeline.Cli.Connection;
using Pipeline.Cli.Output;
using static Pipeline.Cli.Commands.CommonOptions;

namespace Pipeline.Cli.Commands;

/// <summary><c>pipeline upstream add|list|change|sync|status|remove|reserve|release</c>: the registries that are mirrored.</summary>
internal static class UpstreamCommand
{
    public static Command Create(Session session) => new("upstream", "Registries that are mirrored")
    {
        Add(session), List(session), Change(session), Sync(session), Status(session), Remove(session), Reserve(session), Release(session),
    };

    private static Command Add(Session session)
    {
        var (name, how) = (Name(), new Following(indexRequired: true));
        var command = new Command("add", "Follow an upstream") { name };
        how.AddTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var answer = await how.SendAsync(session, parsed, HttpMethod.Post, "upstreams", json => json.WriteString("name", parsed.GetRequiredValue(name)), cancellationToken).ConfigureAwait(false);
            return Say(session, parsed, answer, $"upstream {answer.Text("upstream", "name")} added; its first sync has been rung: `pipeline upstream status {answer.Text("upstream", "name")}`");
        });
        return command;
    }

    private static Command Change(Session session)
    {
        var (name, how) = (Name(), new Following(indexRequired: false));
        var all = new Option<bool>("--allow-all") { Description = "Follow every crate, without an allow-list" };
        var command = new Command("change", "Change how an upstream is followed; what is not given stays") { name, all };
        how.AddTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var answer = await how.SendAsync(
                session, parsed, HttpMethod.Patch, Path($"upstreams/{parsed.GetValue(name)}"), json => json.WriteBoolean("allow_all", parsed.GetValue(all)), cancellationToken).ConfigureAwait(false);
            return Say(session, parsed, answer, $"upstream {answer.Text("upstream", "name")} changed");
        });
        return command;
    }

    private static Command List(Session session)
    {
        var command = new Command("list", "List the upstreams");
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using var client = session.Connect();
            var answer = await client.GetAsync("upstreams", cancellationToken).ConfigureAwait(false);
            if (parsed.GetValue(Json)) return Print(session, answer);
            Table(session, answer.As(AdminJson.Default.UpstreamsAnswer).Upstreams);
            return ExitCodes.Succeeded;
        });
        return command;
    }

    private static Command Status(Session session)
    {
        var name = new Argument<string?>("NAME") { Description = "The upstream; without it: all", Arity = ArgumentArity.ZeroOrOne };
        var command = new Command("status", "How fresh an upstream's mirror is, its files, what could not be taken, contested names") { name };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using var client = session.Connect();
            var path = parsed.GetValue(name) is { } one ? Path($"upstreams/{one}") : "upstreams";
            var answer = await client.GetAsync(path, cancellationToken).ConfigureAwait(false);
            if (parsed.GetValue(Json)) return Print(session, answer);
            if (parsed.GetValue(name) is null) Table(session, answer.As(AdminJson.Default.UpstreamsAnswer).Upstreams);
            else Tell(session, answer.As(AdminJson.Default.UpstreamAnswer));
            return ExitCodes.Succeeded;
        });
        return command;
    }

    private static Command Sync(Session session)
    {
        var name = Name();
        var removals = new Option<bool>("--accept-removals") { Description = "Take away as many crates as the upstream has lost" };
        var command = new Command("sync", "Look at an upstream at once") { name, removals };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using var client = session.Connect();
            var answer = await client.SendAsync(
                HttpMethod.Post, Path($"upstreams/{parsed.GetValue(name)}/sync"), json => json.WriteBoolean("accept_removals", parsed.GetValue(removals)), cancellationToken).ConfigureAwait(false);
            return Say(session, parsed, answer, $"a sync of {answer.Text("upstream", "name")} has been rung");
        });
        return command;
    }

    private static Command Remove(Session session)
    {
        var (name, yes) = (Name(), Yes());
        var command = new Command("remove", "Follow an upstream no longer: its crates leave the index") { name, yes };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            if (!parsed.GetValue(yes)) Confirm(session, $"Every crate of {parsed.GetValue(name)} leaves the index.");
            using var client = session.Connect();
            var answer = await client.SendAsync(HttpMethod.Delete, Path($"upstreams/{parsed.GetValue(name)}"), null, cancellationToken).ConfigureAwait(false);
            return Say(session, parsed, answer, $"upstream {answer.Text("upstream", "name")} is followed no longer; its crates are being taken away");
        });
        return command;
    }

    private static Command Reserve(Session session)
    {
        var crate = Crate();
        var reason = new Option<string?>("--reason") { Description = "Why", HelpName = "TEXT" };
        var command = new Command("reserve", "Keep a name for local crates, whatever an upstream has") { crate, reason };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using var client = session.Connect();
            var answer = await client.SendAsync(
                HttpMethod.Put, Path($"local-names/{parsed.GetValue(crate)}"), json => json.WriteString("reason", parsed.GetValue(reason)), cancellationToken).ConfigureAwait(false);
            return Say(session, parsed, answer, $"{answer.Text("name")} is a local name" + (answer.Text("changed") == bool.TrueString ? "; the upstream's crate is served no longer" : ""));
        });
        return command;
    }

    private static Command Release(Session session)
    {
        var crate = Crate();
        var command = new Command("release", "Give a reserved name back") { crate };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using var client = session.Connect();
            var answer = await client.SendAsync(HttpMethod.Delete, Path($"local-names/{parsed.GetValue(crate)}"), null, cancellationToken).ConfigureAwait(false);
            return Say(session, parsed, answer, $"{answer.Text("name")} is given back");
        });
        return command;
    }

    private static Argument<string> Name() => new("NAME") { Description = "The upstream" };

    private static void Table(Session session, IReadOnlyList<UpstreamShape> upstreams) => Report.Table(
        session.Output,
        "no upstreams",
        ["upstream", "mode", ">crates", ">shadowed", ">bad", "files", "last good sync", ">age", "sync", "trouble"],
        [.. upstreams.Select(one => new[]
        {
            one.Name, one.Mode, Describe.Count(one.Crates), Describe.Count(one.Shadowed), Describe.Count(one.Bad), Files(one), Times.Show(one.CheckedAt), Times.Show(TimeSpan.FromSeconds(one.AgeSeconds)),
            one.Running is { } running ? $"{Describe.Count(running.Done)} of {Describe.Count(running.Total)}" : "", one.LastError?.Split('\n', 2)[0] ?? "",
        })]);

    private static string Files(UpstreamShape one)
    {
        if (one.Files is not { } files) return "";
        var parts = new List<string>();
        if (files.Kept > 0) parts.Add($"{Describe.Count(files.Kept)} kept, {Describe.Count(files.KeptBytes)} bytes");
        if (files.Wanted > 0) parts.Add($"{Describe.Count(files.Wanted)} wanted");
        if (files.Evicted > 0) parts.Add($"{Describe.Count(files.Evicted)} evicted");
        if (files.Refused > 0) parts.Add($"{Describe.Count(files.Refused)} refused");
        return string.Join("; ", parts);
    }

    private static void Tell(Session session, UpstreamAnswer answer)
    {
        Table(session, [answer.Upstream]);
        session.Output.WriteLine($"index {answer.Upstream.Index}, files at {answer.Upstream.Dl ?? "not known yet"}{(answer.Upstream.Watermark is { } commit ? $", synced up to {commit}" : "")}");
        if (answer.Upstream.Incident is { } incident) session.Output.WriteLine($"{incident.Reason} since {Times.Show(incident.Since)}: {answer.Upstream.LastError ?? "no sync has ended well for too long"}");
        session.Output.WriteLine($"collisions: {answer.Upstream.Collisions}; removals: {answer.Upstream.Removals}; every {Times.Show(TimeSpan.FromSeconds(answer.Upstream.EverySeconds))}");
        Report.Table(
            session.Output,
            "every index file could be taken",
            ["could not be taken", "code", "why", ">tries", "next try"],
            [.. answer.Items.Select(static item => new[] { item.Path, item.Code, item.Text, Describe.Count(item.Attempts), Times.Show(item.NextTryAt) })]);
        Report.Table(
            session.Output,
            "every file that was fetched could be had",
            ["file not had", "version", "state", "why", ">tries", "next try"],
            [.. answer.Files.Select(static file => new[] { file.Crate, file.Version, file.State, file.Text, Describe.Count(file.Attempts), Times.Show(file.NextTryAt) })]);
        Report.Table(
            session.Output,
            "no contested names",
            ["contested name", "served", "not served"],
            [.. answer.Contested.Select(static one => new[] { one.Name, one.Served ?? "none", string.Join(", ", one.Others) })]);
    }

    /// <summary>The options that say how an upstream is followed.</summary>
    private sealed class Following(bool indexRequired)
    {
        private readonly Option<string?> _index = new("--index") { Description = "Its git index: an http, https or file URL, or a path of the server; or sparse+ and the URL of its sparse index, which needs --allow", HelpName = "URL", Required = indexRequired };
        private readonly Option<string?> _dl = new("--dl") { Description = "Where its files are, in place of what its config.json says", HelpName = "URL" };
        private readonly Option<string?> _mode = new("--mode") { Description = "Its files: metadata (downloads go there), on-demand (fetched when first asked for) or full (all fetched)", HelpName = "MODE" };
        private readonly Option<FileInfo?> _allow = new("--allow") { Description = "Follow only the crates that this file names, one a line", HelpName = "FILE" };
        private readonly Option<string?> _collisions = new("--collisions") { Description = "Names that are local too: local-wins, upstream-wins or refuse", HelpName = "POLICY" };
        private readonly Option<string?> _removals = new("--removals") { Description = "Crates that it lost: remove or keep", HelpName = "POLICY" };

        private readonly Option<TimeSpan?> _every = new("--every")
        {
            Description = "How often to look: 30s, 10m, 6h",
            HelpName = "SPAN",
            CustomParser = static result =>
            {
                var text = result.Tokens.Count == 1 ? result.Tokens[0].Value : "";
                if (Times.TryParse(text, DateTime.UnixEpoch, ahead: true, out var time) && time < DateTime.UnixEpoch.AddDays(3660)) return time - DateTime.UnixEpoch;
                result.AddError($"--every: {text} is no span; write 10m");
                return null;
            },
        };

        public void AddTo(Command command)
        {
            foreach (var option in new Option[] { _index, _dl, _mode, _allow, _every, _collisions, _removals }) command.Add(option);
        }

        /// <summary>Sends what the options say, and more.</summary>
        /// <exception cref="CliException">The file of the allow-list cannot be read, or the server refuses.</exception>
        public async Task<Answer> SendAsync(Session session, ParseResult parsed, HttpMethod method, string path, Action<Utf8JsonWriter> more, CancellationToken cancellationToken)
        {
            var allow = Allowed(parsed);
            using var client = session.Connect();
            return await client.SendAsync(
                method,
                path,
                json =>
                {
                    more(json);
                    Write(json, parsed, allow);
                },
                cancellationToken).ConfigureAwait(false);
        }

        /// <summary>The names of the allow-list; null: none was given. Empty lines and those that begin with <c>#</c> say nothing.</summary>
        /// <exception cref="CliException">The file cannot be read.</exception>
        private List<string>? Allowed(ParseResult parsed)
        {
            if (parsed.GetValue(_allow) is not { } file) return null;
            try
            {
                return [.. File.ReadLines(file.FullName).Select(static line => line.Trim()).Where(static line => line.Length > 0 && line[0] != '#')];
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new CliException($"{file}: {e.Message}", e);
            }
        }

        private void Write(Utf8JsonWriter json, ParseResult parsed, List<string>? allow)
        {
            foreach (var (key, option) in new[] { ("index", _index), ("dl", _dl), ("mode", _mode), ("collisions", _collisions), ("removals", _removals) })
            {
                if (parsed.GetValue(option) is { } value) json.WriteString(key, value);
            }

            if (parsed.GetValue(_every) is { } every) json.WriteNumber("every_seconds", every.TotalSeconds);
            if (allow is null) return;
            json.WriteStartArray("allow");
            foreach (var name in allow) json.WriteStringValue(name);
            json.WriteEndArray();
        }
    }
}
