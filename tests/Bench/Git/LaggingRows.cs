using Pipeline.Contracts;
using Pipeline.Registry.Database;
using Pipeline.Registry.Truth;

namespace Pipeline.Bench.Git;

/// <summary>Writes crates that the git index lacks a version of: nine of ten have a file there already, as in a grown registry.</summary>
internal sealed class LaggingRows(IDatabase database)
{
    private int _next;

    /// <summary>Adds some.</summary>
    public ValueTask<int> AddAsync(int count) => database.WriteAsync(async sql =>
    {
        for (var i = 0; i < count; i++) await AddAsync(sql, _next++).ConfigureAwait(false);
        return count;
    });

    private static async ValueTask AddAsync(Statements sql, int sequence)
    {
        // A step that is prime to the number of files meets each once, in no order.
        var number = sequence % 10 == 9 ? SyntheticIndex.Files + sequence : (int)(sequence * 7919L % SyntheticIndex.Files);
        var name = SyntheticIndex.Name(number);
        var lines = sequence % 10 == 9 ? [] : SyntheticIndex.Lines(number);
        lines.Add(SyntheticIndex.Line(name, "1.0.0", SyntheticIndex.Random(sequence)));
        var crate = await sql.LongAsync(
            "INSERT INTO crates (canonical, name, revision, last_published_at, created_at, updated_at) VALUES ($1, $2, 1, now_us(), now_us(), now_us()) RETURNING id",
            CanonicalName.Of(name).Text, name).ConfigureAwait(false);
        for (var i = 0; i < lines.Count; i++)
        {
            await sql.ExecuteAsync(
                """
                INSERT INTO versions (crate_id, num, num_no_build, sort_key, prerelease, checksum, size, object_key, entry_head, entry_tail, dependencies,
                    features, has_lib, bin_names, publish_id, published_at, updated_at)
                VALUES ($1, $2, $2, x'00', 0, '', 5120, '', $3, $4, '[]', '{}', 1, '[]', '', now_us() + $5, now_us())
                """,
                crate!.Value, $"{i}.0.0", lines[i].Head, lines[i].Tail, (long)i).ConfigureAwait(false);
        }

        await Revisions.RecordAsync(sql, crate!.Value, 1, name, "publish", "1.0.0", null).ConfigureAwait(false);
    }
}
