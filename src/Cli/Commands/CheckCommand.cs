using System.CommandLine;
using System.Text.Json;
using Pipeline.Cli.Checking;
using Pipeline.Cli.Importing;
using Pipeline.Registry.Options;
using static Pipeline.Cli.Commands.CommonOptions;

namespace Pipeline.Cli.Commands;

/// <summary><c>pipeline check</c>: the rules of publishing, offline.</summary>
internal static class CheckCommand
{
    public static Command Create(Session session)
    {
        var files = new Argument<string[]>("FILE") { Description = "A .crate file", Arity = ArgumentArity.OneOrMore };
        var packagedFor = ImportCommand.PackagedFor();
        var command = new Command("check", "Check .crate files as a publish would, without a registry, and print the index line of each") { files, packagedFor };
        command.SetAction(parsed =>
        {
            var check = CheckFor(session, parsed.GetValue(packagedFor));
            var failed = 0;
            foreach (var file in parsed.GetValue(files)!)
            {
                if (!Run(session, check, file, parsed.GetValue(Json))) failed++;
            }

            return failed == 0 ? ExitCodes.Succeeded : ExitCodes.Failed;
        });
        return command;
    }

    /// <summary>Without a registry at hand, its own index is known only if it is named or has been started here.</summary>
    private static CrateCheck CheckFor(Session session, string? packagedFor)
    {
        var url = session.LocalUrl ?? new RegistryOptions().PublicUrl;
        var registry = packagedFor is null ? RegistryOfCrates.At(url) : new RegistryOfCrates(packagedFor);
        return new CrateCheck(registry, new RegistryOptions { PublicUrl = url, OwnIndexUrls = packagedFor is null or RegistryOfCrates.CratesIo ? [] : [packagedFor] });
    }

    private static bool Run(Session session, CrateCheck check, string file, bool json)
    {
        try
        {
            var result = check.Check(file, File.ReadAllBytes(file));
            if (json) WriteJson(session.Output, file, result);
            else if (result.Reject is { } reject) session.Output.WriteLine($"{file}: refused ({reject.Code}, status {reject.Status}): {reject.Text}");
            else session.Output.WriteLine(result.Line);
            return result.Reject is null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            session.Error.WriteLine($"error: {file}: {e.Message}");
            return false;
        }
    }

    private static void WriteJson(TextWriter output, string file, CheckResult result)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("file", file);
            json.WriteString("name", result.Name);
            json.WriteString("version", result.Version);
            json.WriteBoolean("accepted", result.Reject is null);
            json.WriteString("code", result.Reject?.Code);
            if (result.Reject is { } reject) json.WriteNumber("status", reject.Status);
            else json.WriteNull("status");
            json.WriteString("reason", result.Reject?.Text);
            json.WriteString("index_line", result.Line);
            json.WriteEndObject();
        }

        output.WriteLine(System.Text.Encoding.UTF8.GetString(buffer.ToArray()));
    }
}
