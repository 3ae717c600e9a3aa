using System.Diagnostics;
using System.Globalization;
using System.Text;
using Pipeline.Bench.Measuring;
using Pipeline.Bench.Publishing;
using Pipeline.Contracts;
using Pipeline.Registry.Database;
using Pipeline.Registry.Truth;
using Pipeline.Workers.Search;

namespace Pipeline.Bench.Search;

/// <summary><c>search</c>: how long searches take over many crates, asked one after the other over HTTP, and how long the projection takes to be made.</summary>
internal static class SearchBench
{
    private const int Batch = 1000;
    private const int Asked = 200;
    private const string Figure = "a few ms";

    // As common as in real descriptions: the first word stands in most of them, the hundredth in few.
    private static readonly string[] Vocabulary = [.. new[] { "rust", "library", "simple", "async", "parser" }.Concat(Enumerable.Range(5, 4000).Select(Word))];

    private static readonly (string Name, string Query)[] Searches =
    [
        ("a word of most crates", "?q=rust"),
        ("a rare word", "?q=" + Vocabulary[900]),
        ("two words", "?q=rust+" + Vocabulary[40]),
        ("one letter", "?q=a"),
        ("nothing found", "?q=zzzzzz"),
        ("all, by name", ""),
        ("all, newest first", "?sort=new"),
        ("a keyword", "?keyword=" + Vocabulary[20]),
    ];

    /// <summary>Runs it; <c>--crates</c> says over how many.</summary>
    public static async Task RunAsync(Arguments arguments, Report report)
    {
        var count = arguments.Number("crates", 150_000);
        using var server = new StandaloneServer(arguments.Text("command"));
        var (database, connection) = server.OpenDatabase();
        await using var _ = connection;
        await FillAsync(database, count);
        await ProjectAsync(database, count, report);
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

    private static async Task ProjectAsync(IDatabase database, int count, Report report)
    {
        var projection = new SearchProjection(database, TimeProvider.System);
        var started = Stopwatch.GetTimestamp();
        for (long last = 0; await projection.WritePageAsync(last, CancellationToken.None) is { } page;) last = page.Last;
        await projection.PruneAsync(CancellationToken.None);
        report.Add(new Measured($"search projection of {count} crates made anew", Stopwatch.GetElapsedTime(started).TotalSeconds, "s"));
    }

    private static async Task FillAsync(IDatabase database, int count)
    {
        var random = new Random(1);
        for (var from = 0; from < count; from += Batch)
        {
            var to = Math.Min(count, from + Batch);
            await database.WriteAsync(async sql =>
            {
                for (var i = from; i < to; i++) await InsertAsync(sql, random, i);
                return 0;
            });
        }
    }

    private static async ValueTask InsertAsync(Statements sql, Random random, int i)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"{Pick(random)}-{Pick(random)}-{i}");
        var description = string.Join(' ', Enumerable.Range(0, 12).Select(_ => Pick(random)));
        var rank = DefaultVersion.Rank(CrateVersion.Parse("1.0.0"), yanked: false);
        await sql.ExecuteAsync(
            """
            INSERT INTO crates (canonical, name, revision, description, keywords, categories, num_versions, default_version, default_rank, last_published_at, created_at, updated_at)
            VALUES ($1, $2, 1, $3, $4, '["parsing"]', 1, '1.0.0', $5, $6, $6, $7)
            """,
            CanonicalName.Of(name).Text, name, description, JsonTexts.Write([Pick(random), Pick(random)]), rank, (long)i, random.NextInt64(1_000_000_000));
    }

    // Zipf, about: the n-th word is as often as 1/n of the first.
    private static string Pick(Random random) => Vocabulary[Math.Min(Vocabulary.Length - 1, (int)Math.Pow(Vocabulary.Length, random.NextDouble()) - 1)];

    private static string Word(int n)
    {
        var text = new StringBuilder();
        for (var rest = n * 2654435761L % 1_000_003; rest > 0; rest /= 20) text.Append("bcdfghjklmnpqrstvwxz"[(int)(rest % 20)]).Append("aeiou"[(int)(rest % 5)]);
        return text.ToString();
    }
}
