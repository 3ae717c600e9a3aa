using System.Globalization;
using System.Text;
using Pipeline.Bench.Crates;
using Pipeline.Contracts;
using Pipeline.Registry.Database;
using Pipeline.Registry.Truth;
using Pipeline.Workers.Search;

namespace Pipeline.Bench.Search;

/// <summary>Many crates to search in, whose words are as common as in a real registry.</summary>
internal static class SearchableCrates
{
    private const int Batch = 1000;

    // As common as in real descriptions: the first word stands in most of them, the hundredth in few.
    public static readonly string[] Vocabulary = [.. new[] { "rust", "library", "simple", "async", "parser" }.Concat(Enumerable.Range(5, 4000).Select(Word))];

    /// <summary>Makes the projection that searches are answered from.</summary>
    public static async Task ProjectAsync(IDatabase database)
    {
        var projection = new SearchProjection(database, TimeProvider.System);
        for (long last = 0; await projection.WritePageAsync(last, CancellationToken.None) is { } page;) last = page.Last;
        await projection.PruneAsync(CancellationToken.None);
    }

    /// <summary>Writes the rows of crates, one version each.</summary>
    public static async Task FillAsync(IDatabase database, int count)
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
        var crate = await sql.LongAsync(
            """
            INSERT INTO crates (canonical, name, revision, description, keywords, categories, num_versions, default_version, default_rank, last_published_at, created_at, updated_at)
            VALUES ($1, $2, 1, $3, $4, '["parsing"]', 1, '1.0.0', $5, $6, $6, $7)
            RETURNING id
            """,
            CanonicalName.Of(name).Text, name, description, JsonTexts.Write([Pick(random), Pick(random)]), rank, (long)i, random.NextInt64(1_000_000_000));
        await SampleVersion.InsertAsync(sql, crate!.Value, "", "", 5120);
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
