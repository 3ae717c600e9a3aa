using Pipeline.Bench.Git;
using Pipeline.Bench.Growth;
using Pipeline.Bench.Limits;
using Pipeline.Bench.Manifests;
using Pipeline.Bench.Measuring;
using Pipeline.Bench.Mirror;
using Pipeline.Bench.Publishing;
using Pipeline.Bench.Reads;
using Pipeline.Bench.Rebuilds;
using Pipeline.Bench.Search;
using Pipeline.Bench.Tarballs;

namespace Pipeline.Bench;

/// <summary>The benchmarks by name.</summary>
internal static class Benchmarks
{
    private static readonly Dictionary<string, Func<Arguments, Report, Task>> ByName = new(StringComparer.Ordinal)
    {
        ["publish"] = PublishBench.RunAsync,
        ["tarball"] = TarballBench.RunAsync,
        ["manifest"] = ManifestBench.RunAsync,
        ["git"] = GitBench.RunAsync,
        ["search"] = SearchBench.RunAsync,
        ["reads"] = ReadsBench.RunAsync,
        ["gitremote"] = GitRemoteBench.RunAsync,
        ["rebuild"] = RebuildBench.RunAsync,
        ["growth"] = GrowthBench.RunAsync,
        ["mirror"] = MirrorBench.RunAsync,
        ["fetch"] = FetchBench.RunAsync,
    };

    /// <summary>Runs one, or all of them, and prints their rows.</summary>
    public static async Task<int> RunAsync(Arguments arguments)
    {
        if (arguments.Text("role") == SinkServer.Role) return await SinkServer.RunAsync();
        var names = arguments.Names.Count == 0 ? [.. ByName.Keys] : arguments.Names;
        foreach (var name in names)
        {
            if (!ByName.TryGetValue(name, out var benchmark))
            {
                await Console.Error.WriteLineAsync($"error: there is no benchmark {name}; there are: {string.Join(", ", ByName.Keys)}");
                return 2;
            }

            var report = new Report();
            await benchmark(arguments, report);
            report.Print(Console.Out, arguments.Has("json"));
        }

        return 0;
    }
}
