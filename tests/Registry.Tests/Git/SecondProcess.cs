using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Pipeline.Registry.Tests.Git;

/// <summary>
/// Runs a piece of this test program as a process of its own, so that a test can kill it. Which piece, an environment variable says; it
/// runs before the test runner would, on one thread: until it ends, other threads cannot enter this assembly.
/// </summary>
internal static class SecondProcess
{
    private const string Variable = "PIPELINE_TEST_ROLE";

    /// <summary>Starts a role.</summary>
    public static Process Start(string role, string folder, params (string Name, string Value)[] environment)
    {
        var program = Path.Combine(AppContext.BaseDirectory, typeof(SecondProcess).Assembly.GetName().Name!);
        var start = new ProcessStartInfo(program) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment[Variable] = $"{role} {folder}";
        foreach (var (name, value) in environment) start.Environment[name] = value;
        return Process.Start(start)!;
    }

#pragma warning disable CA2255 // A test program has no other place that comes before the runner.
    [ModuleInitializer]
#pragma warning restore CA2255
    internal static void Play()
    {
        if (Environment.GetEnvironmentVariable(Variable)?.Split(' ', 2) is not [var role, var folder]) return;
        SecondProcessRoles.Play(role, folder);
        Environment.Exit(0);
    }
}
