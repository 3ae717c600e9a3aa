using System.Diagnostics;

namespace Pipeline.Tests.Serving;

/// <summary>The built <c>pipeline</c> command, as a process of its own.</summary>
internal static class PipelineProgram
{
    private static readonly string Program = Path.Combine(AppContext.BaseDirectory, "pipeline.dll");

    /// <summary>How to start it: both outputs redirected, the environment without what belongs to the tests' own process.</summary>
    public static ProcessStartInfo Start(IEnumerable<string> arguments, IEnumerable<(string Name, string Value)> environment)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath is { } self && Path.GetFileName(self) == "dotnet" ? self : "dotnet", [Program, .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("PIPELINE", StringComparison.Ordinal)).ToList()) start.Environment.Remove(name);
        foreach (var (name, value) in environment) start.Environment[name] = value;
        return start;
    }

    /// <summary>Runs it to its end.</summary>
    public static async Task<(int ExitCode, string Output, string Error)> RunAsync(RunningPipeline pipeline, params IEnumerable<string> arguments)
    {
        using var process = Process.Start(Start(arguments, [("PIPELINE_DATA", pipeline.Data)]))!;
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, await output, await error);
    }
}
