using System.Diagnostics;
using System.Globalization;
using System.Text;
using Pipeline.Bench.Measuring;
using Pipeline.Bench.Publishing;
using Pipeline.Bench.Search;

namespace Pipeline.Bench.Reads;

/// <summary>
/// <c>reads</c>: how fast 64 clients read index files and .crate files, beside nginx with the same bytes in turn, and how fast they search. Both
/// share the processor with the load, so a rate says what a request costs altogether; the CPU is the server's own.
/// </summary>
internal static class ReadsBench
{
    private const int Rounds = 3;

    /// <summary>Runs it: <c>--files N --crates N --seconds N --only index|downloads|search</c>.</summary>
    public static async Task RunAsync(Arguments arguments, Report report)
    {
        var folder = RepositoryRoot.NewFolder("reads");
        try
        {
            var (only, seconds) = (arguments.Text("only"), arguments.Number("seconds", 4));
            if (only is null or "index" or "downloads") await FilesAsync(arguments, report, folder, only, seconds);
            if (only is null or "search") await SearchAsync(arguments, report, folder, seconds);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task FilesAsync(Arguments arguments, Report report, string folder, string? only, int seconds)
    {
        var copies = Path.Combine(folder, "files");
        using var server = new StandaloneServer(arguments.Text("command"));
        var files = new ReadFiles();
        var (database, connection) = server.OpenDatabase();
        await using (connection) await files.WriteAsync(database, server.Objects, copies, arguments.Number("files", 16_000));
        using var nginx = new NginxServer(Path.Combine(folder, "nginx"), copies);
        var both = new Comparison(new Wrk(folder), server, nginx, seconds, report);
        if (only is null or "index")
        {
            both.Run("index file", ">= 0.95 x nginx", files.Index, files.Index);
            both.Run("index file, gzip accepted", ">= 0.95 x nginx", files.Index, files.Index, gzip: true);
            both.Run("index file, not modified", ">= 0.95 x nginx", Tagged(server.Port, files.Index), Tagged(nginx.Port, files.Index));
        }

        if (only is null or "downloads") both.Run("download, 5 KB", "CPU <= 2 x nginx", files.Crates, files.Crates);
        report.Add(new Measured("memory of the server after reads", server.Memory().Now, "MiB"));
    }

    private static async Task SearchAsync(Arguments arguments, Report report, string folder, int seconds)
    {
        var count = arguments.Number("crates", 150_000);
        using var server = new StandaloneServer(arguments.Text("command"));
        var (database, connection) = server.OpenDatabase();
        await using (connection)
        {
            await SearchableCrates.FillAsync(database, count);
            await SearchableCrates.ProjectAsync(database);
        }

        var wrk = new Wrk(folder);
        var kinds = Searches(count).GroupBy(static search => search.Kind).ToList();
        // The first search fetches the projection; the next ones are compiled.
        report.Add(new Measured($"the first search over {count} crates", First(server.Port), "ms"));
        wrk.Run(server.Port, [.. Shuffled(kinds.SelectMany(static kind => kind).Select(static search => "/api/v1/crates" + search.Query))], seconds);
        Search("all sorts", [.. kinds.SelectMany(static kind => kind)], ">= 2,000/s");
        foreach (var kind in kinds) Search(kind.Key, [.. kind], null);
        report.Add(new Measured($"memory of the server with {count} crates to search in", server.Memory().Now, "MiB"));

        void Search(string kind, List<(string Kind, string Query)> searches, string? figure)
        {
            var cpu = server.CpuSeconds();
            var load = wrk.Run(server.Port, [.. Shuffled(searches.Select(static search => "/api/v1/crates" + search.Query))], seconds);
            report.Add(new Measured($"search over {count} crates, {kind}", load.Rate, "/s", Figure: figure));
            report.Add(new Measured($"search over {count} crates, {kind}: CPU", (server.CpuSeconds() - cpu) * 1e6 / load.Requests, "us"));
        }
    }

    private static double First(int port)
    {
        using var http = new HttpConnection(port);
        var started = Stopwatch.GetTimestamp();
        http.Send("GET /api/v1/crates?q=rust HTTP/1.1\r\nHost: localhost\r\n\r\n"u8);
        return Stopwatch.GetElapsedTime(started).TotalMilliseconds;
    }

    /// <summary>What people and cargo ask for: names above all, then words, and lists.</summary>
    private static IEnumerable<(string Kind, string Query)> Searches(int crates)
    {
        var words = SearchableCrates.Vocabulary;
        for (var i = 0; i < 300; i++)
        {
            var (rare, common) = (words[50 + (i * 13)], words[i % 40]);
            yield return ("a rare word", $"?q={rare}&per_page=10");
            yield return ("a name's end", $"?q={rare}-{((i * 499) % crates).ToString(CultureInfo.InvariantCulture)}");
            yield return ("a word of many crates", $"?q={common}&per_page=10");
            yield return ("two words", $"?q={common}+{words[5 + i]}");
            yield return ("part of a word", $"?q={rare[..3]}");
            if (i % 3 == 0) yield return ("a keyword", $"?keyword={words[20 + i]}");
            if (i % 3 == 1) yield return ("all, newest first", $"?sort=new&page={1 + (i % 7)}");
            if (i % 3 == 2) yield return ("all, by name", $"?per_page=10&page={1 + (i % 7)}");
            if (i % 10 == 0) yield return ("one or two letters", $"?q={rare[..(1 + (i % 20 / 10))]}");
        }
    }

    private static IEnumerable<string> Shuffled(IEnumerable<string> lines)
    {
        var all = lines.ToArray();
        new Random(1).Shuffle(all);
        return all;
    }

    /// <summary>Each path with the tag that the server gives its file.</summary>
    private static List<string> Tagged(int port, IEnumerable<string> paths)
    {
        using var http = new HttpConnection(port);
        return [.. paths.Select(path =>
        {
            http.Send(Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"));
            return $"{path} {http.Header("ETag")}";
        })];
    }

    /// <summary>Runs the same load on both servers in turn, so that what else the machine does meets both.</summary>
    private sealed class Comparison(Wrk wrk, StandaloneServer server, NginxServer nginx, int seconds, Report report)
    {
        public void Run(string name, string figure, List<string> ours, List<string> theirs, bool gzip = false)
        {
            wrk.Run(server.Port, ours, seconds, gzip);
            wrk.Run(nginx.Port, theirs, 1, gzip);
            var rounds = Enumerable.Range(0, Rounds).Select(_ => (Ours: Load(server.Port, ours, gzip, server.CpuSeconds), Theirs: Load(nginx.Port, theirs, gzip, nginx.CpuSeconds))).ToList();
            // The middle one of the rounds by what is compared.
            var rate = rounds.OrderBy(static round => round.Ours.Rate / round.Theirs.Rate).ElementAt(Rounds / 2);
            var cpu = rounds.OrderBy(static round => round.Ours.Cpu / round.Theirs.Cpu).ElementAt(Rounds / 2);
            report.Add(new Measured(name, rate.Ours.Rate, "/s", rate.Theirs.Rate, figure));
            report.Add(new Measured($"{name}: CPU", cpu.Ours.Cpu, "us", cpu.Theirs.Cpu));
        }

        private (double Rate, double Cpu) Load(int port, List<string> lines, bool gzip, Func<double> cpu)
        {
            var before = cpu();
            var load = wrk.Run(port, lines, seconds, gzip);
            return (load.Rate, (cpu() - before) * 1e6 / load.Requests);
        }
    }
}
