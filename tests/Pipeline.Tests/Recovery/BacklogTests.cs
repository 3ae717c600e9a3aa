using System.Globalization;
using Pipeline.Contracts;
using Pipeline.Registry.Database;
using Pipeline.Tests.Generating;
using Pipeline.Tests.Serving;

namespace Pipeline.Tests.Recovery;

/// <summary>A backlog far beyond what a queue holds: it neither fills the memory nor stands still (design, law 2).</summary>
public sealed class BacklogTests
{
    private const int Good = 500;

    // A hundred times what a queue holds; PIPELINE_BACKLOG takes another number.
    private static readonly int Waiting = int.Parse(Environment.GetEnvironmentVariable("PIPELINE_BACKLOG") ?? "100000", CultureInfo.InvariantCulture);

    [Fact]
    public async Task A_backlog_far_beyond_the_queues_keeps_queue_and_memory_bounded_and_drains()
    {
        await using var pipeline = await PipelineProcess.StartAsync();
        var user = await pipeline.AddUserAsync();
        await pipeline.KillAsync();
        var before = await ParkAsync(pipeline, user);

        // Workers stopped: nothing moves, nothing grows.
        await pipeline.StartAgainAsync([("PIPELINE__Workers__Enabled", "false")]);
        (await UndecidedAsync(pipeline)).ShouldBe(Waiting);
        var idle = pipeline.ResidentBytes;
        var parked = await pipeline.PublishAsync(CrateFile.Body("late", "1.0.0", CrateFile.Plain("late", "1.0.0")), user.Token, ("Prefer", "respond-async"));
        ((int)parked.Status).ShouldBe(202);
        await pipeline.KillAsync();

        await pipeline.StartAgainAsync();
        var peak = 0L;
        await Deadline.UntilAsync(900, async () =>
        {
            peak = Math.Max(peak, pipeline.ResidentBytes);
            // Counting a backlog costs the server: once a second is enough to see it shrink.
            await Task.Delay(TimeSpan.FromSeconds(1), TestContext.Current.CancellationToken);
            (await DepthAsync(pipeline)).ShouldBeLessThanOrEqualTo(1000);
            return await UndecidedAsync(pipeline) is > 0 and var left ? $"{left} publishes wait" : null;
        });
        await pipeline.SettleAsync(120);

        (peak - idle).ShouldBeLessThan(512L * 1024 * 1024);
        (await pipeline.IndexLinesAsync("late")).ShouldHaveSingleItem();
        (await pipeline.IndexLinesAsync(before)).ShouldHaveSingleItem();
        var counts = (await pipeline.AdminAsync(HttpMethod.Get, "status")).GetProperty("counts");
        counts.GetProperty("versions").GetInt64().ShouldBe(Good + 1);
    }

    /// <summary>Parks as intake does, row by row but in one transaction; most archives are broken, so that their verdict is quick.</summary>
    private static async Task<string> ParkAsync(PipelineProcess pipeline, Account user)
    {
        await using var database = new SqliteDatabase(Path.Combine(pipeline.Data, "registry.sqlite"), TimeProvider.System);
        var staging = Directory.CreateDirectory(Path.Combine(pipeline.Data, "objects", "staging")).FullName;
        var name = "";
        await database.WriteAsync(async sql =>
        {
            var userId = await sql.LongAsync("SELECT id FROM users WHERE login = $1", user.Login);
            for (var i = 0; i < Waiting; i++)
            {
                var crate = $"waiting-{i.ToString(CultureInfo.InvariantCulture)}";
                var file = i % (Waiting / Good) == 0 ? CrateFile.Plain(crate, "1.0.0") : "broken"u8.ToArray();
                if (file.Length > 10) name = crate;
                var id = PublishId.New().ToString();
                File.WriteAllBytes(Path.Combine(staging, id + ".crate"), file);
                await sql.ExecuteAsync(
                    """
                    INSERT INTO publishes (id, canonical, name, num, num_no_build, checksum, size, user_id, claims, staging_key, state, received_at, parked_at, deadline_at)
                    VALUES ($1, $2, $3, '1.0.0', '1.0.0', $4, $5, $6, '{"dependencies":[],"allowMissingDependencies":false}', $7, 'parked', now_us(), now_us(), now_us() + 86400000000)
                    """,
                    id, CanonicalName.Of(crate).Text, crate, Checksum.OfContent(file).ToString(), (long)file.Length, userId, $"staging/{id}.crate");
            }

            return 0;
        });
        return name;
    }

    private static async Task<long> UndecidedAsync(PipelineProcess pipeline) =>
        (await pipeline.AdminAsync(HttpMethod.Get, "status")).GetProperty("counts").GetProperty("undecided").GetInt64();

    private static async Task<long> DepthAsync(PipelineProcess pipeline) =>
        (await pipeline.AdminAsync(HttpMethod.Get, "status")).GetProperty("stages").EnumerateArray().Max(stage => stage.GetProperty("depth").GetInt64());
}
