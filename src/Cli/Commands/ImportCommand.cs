using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Pipeline.Cli.Importing;
using Pipeline.Cli.Output;
using static Pipeline.Cli.Commands.CommonOptions;

namespace Pipeline.Cli.Commands;

/// <summary><c>pipeline import</c>: publishes many .crate files.</summary>
internal static class ImportCommand
{
    private static readonly string[] Orders = ["dependency", "given"];

    public static Command Create(Session session)
    {
        var paths = new Argument<string[]>("PATH") { Description = "A .crate file, or a folder of them", Arity = ArgumentArity.OneOrMore };
        var packagedFor = PackagedFor();
        var allowMissing = new Option<bool>("--allow-missing-dependencies")
        {
            Description = "Accept crates whose dependencies the registry does not know yet; only for administrators",
        };
        var jobs = new Option<int>("--jobs", "-j") { Description = "Publish so many at once", HelpName = "N", DefaultValueFactory = _ => 4 };
        jobs.Validators.Add(static result =>
        {
            if (result.GetValueOrDefault<int>() is < 1 or > 256) result.AddError("--jobs is a number from 1 to 256");
        });
        var order = new Option<string>("--order")
        {
            Description = "dependency: a crate after those it depends on; given: as named, folders by file name",
            HelpName = "ORDER",
            DefaultValueFactory = _ => Orders[0],
        };
        order.AcceptOnlyFromAmong(Orders);

        var command = new Command("import", "Publish many .crate files; those that are there already are passed over") { paths, packagedFor, allowMissing, jobs, order };
        command.SetAction((parsed, cancellationToken) => RunAsync(
            session,
            new Request(
                parsed.GetValue(paths)!,
                parsed.GetValue(packagedFor),
                parsed.GetValue(allowMissing),
                parsed.GetValue(jobs),
                parsed.GetValue(order) == Orders[0],
                parsed.GetValue(Json)),
            cancellationToken));
        return command;
    }

    /// <summary>The option that says which registry files were made for.</summary>
    public static Option<string?> PackagedFor() => new("--packaged-for")
    {
        Description = "The index URL of the registry that the files were made for, or crates-io; without it: this registry. "
            + "What they depend on in that registry is taken to be here",
        HelpName = "INDEX",
    };

    private static async Task<int> RunAsync(Session session, Request request, CancellationToken cancellationToken)
    {
        var files = Import.FindFiles(request.Paths);
        using var client = session.Connect();
        client.Http.Timeout = TimeSpan.FromMinutes(30);
        var registry = request.PackagedFor is { } index
            ? new RegistryOfCrates(index)
            : RegistryOfCrates.At(await CratePublisher.OwnUrlAsync(client.Http, cancellationToken).ConfigureAwait(false) ?? client.Http.BaseAddress!.AbsoluteUri);
        var schedule = request.ByDependency
            ? ImportSchedule.ByDependency(Import.ReadItems(files, registry, cancellationToken))
            : ImportSchedule.AsGiven(files.Select(ImportItem.Unread));
        var publisher = new CratePublisher(client.Http, request.AllowMissing, Task.Delay);

        var since = Stopwatch.StartNew();
        Import? import = null;
        await ShowAsync(session, files.Count, progress =>
        {
            import = new Import(publisher, registry, progress);
            return import.RunAsync(schedule, request.Jobs, cancellationToken);
        }).ConfigureAwait(false);
        if (request.Json) WriteJson(session.Output, import!, since.Elapsed);
        else Write(session, import!, files.Count, since.Elapsed);
        return import!.Failed.Count == 0 ? ExitCodes.Succeeded : ExitCodes.Failed;
    }

    private static Task ShowAsync(Session session, int total, Func<IImportProgress, Task> work) => session.ErrorIsTerminal
        ? ProgressBar.ShowAsync(Report.TerminalOn(session.Error), total, work)
        : work(new ProgressLines(session.Error, total));

    private static void Write(Session session, Import import, int total, TimeSpan took)
    {
        foreach (var result in import.Failed) session.Error.WriteLine($"{result.Item.Path}: {result.Reason}");
        var rate = (total / Math.Max(took.TotalSeconds, 0.001)).ToString("0", CultureInfo.InvariantCulture);
        session.Output.WriteLine(
            $"{Describe.Count(total)} files in {Times.Show(took)}, {rate}/s: {Describe.Count(import.Published)} published, "
            + $"{Describe.Count(import.Present)} there already, {Describe.Count(import.Failed.Count)} failed");
    }

    private static void WriteJson(TextWriter output, Import import, TimeSpan took)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteNumber("published", import.Published);
            json.WriteNumber("present", import.Present);
            json.WriteStartArray("failed");
            foreach (var result in import.Failed)
            {
                json.WriteStartObject();
                json.WriteString("file", result.Item.Path);
                json.WriteString("name", result.Name);
                json.WriteString("version", result.Version);
                json.WriteString("reason", result.Reason);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteNumber("seconds", Math.Round(took.TotalSeconds, 3));
            json.WriteEndObject();
        }

        output.WriteLine(System.Text.Encoding.UTF8.GetString(buffer.ToArray()));
    }

    private sealed record Request(string[] Paths, string? PackagedFor, bool AllowMissing, int Jobs, bool ByDependency, bool Json);
}
