using System.Diagnostics;
using System.Text;
using Pipeline.Bench.Measuring;
using Pipeline.Bench.Publishing;

namespace Pipeline.Bench.Search;

/// <summary><c>search</c>: how long searches take over many crates, asked one after the other over HTTP, and how long the projection takes to be made.</summary>
internal static class SearchBench
{
    private const int Asked = 200;
    private const string Figure = "a few ms";

    private static readonly (string Name, string Query)[] Searches =
    [
        ("a word of most crates", "?q=rust"),
        ("a rare word", "?q=" + SearchableCrates.Vocabulary[900]),
        ("two words", "?q=rust+" + SearchableCrates.Vocabulary[40]),
        ("one letter", "?q=a"),
        ("nothing found", "?q=zzzzzz"),
        ("all, by name", ""),
        ("all, newest first", "?sort=new"),
        ("a keyword", "?keyword=" + SearchableCrates.Vocabulary[20]),
    ];

    /// <summary>Runs it; <c>--crates</c> says over how many.</summary>
    public static async Task RunAsync(Arguments arguments, Report report)
    {
        var count = arguments.Number("crates", 150_000);
        using var server = new StandaloneServer(arguments.Text("command"));
        var (database, connection) = server.OpenDatabase();
        await using var _ = connection;
        await SearchableCrates.FillAsync(database, count);
        var started = Stopwatch.GetTimestamp();
        await SearchableCrates.ProjectAsync(database);
        report.Add(new Measured($"search projection of {count} crates made anew", Stopwatch.GetElapsedTime(started).TotalSeconds, "s"));
        using var http = new HttpConnection(server.Port);
        report.Add(new Measured($"search over {count} crates, the first one of a process", Ask(http, "?q=rust"), "ms"));
        foreach (var (name, query) in Searches)
        {
            var cpu = server.CpuSeconds();
            var times = Enumerable.Range(0, Asked).Select(_ => Ask(http, query)).ToList();
            report.Add(new Measured($"search over {count} crates: {name}, p50", Percentiles.Of(times, 0.5), "ms", Figure: Figure));
            report.Add(new Measured($"search over {count} crates: {name}, CPU", (server.CpuSeconds() - cpu) / Asked * 1000, "ms"));
        }

        report.Add(new Measured($"memory of the server with {count} crates to search in", server.Memory().Now, "MiB"));
    }

    private static double Ask(HttpConnection http, string query)
    {
        var request = Encoding.ASCII.GetBytes($"GET /api/v1/crates{query} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        var started = Stopwatch.GetTimestamp();
        var status = http.Send(request);
        var took = Stopwatch.GetElapsedTime(started).TotalMilliseconds;
        return status == 200 ? took : throw new InvalidOperationException($"{query}: {status} {Encoding.UTF8.GetString(http.Body)}");
    }
}
