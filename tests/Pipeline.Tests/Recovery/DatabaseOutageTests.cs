using System.Collections.Concurrent;
using System.Net;
using Pipeline.Tests.Generating;
using Pipeline.Tests.Services;
using Pipeline.Tests.Serving;

namespace Pipeline.Tests.Recovery;

/// <summary>PostgreSQL is killed under load and comes back: publishing says so meanwhile, reading goes on, and no process need be started again.</summary>
public sealed class DatabaseOutageTests
{
    private const int Clients = 4;
    private const int Outages = 2;

    [Fact]
    public async Task While_the_database_is_away_publishes_are_refused_with_a_reason_and_afterwards_nothing_is_lost_or_doubled()
    {
        await using var server = await RealServices.StartAsync(["postgres"]);
        await using var pipeline = await InProcessPipeline.StartAsync(
            ("Database:Postgres", server["PIPELINE__Database__Postgres"]), ("Workers:SweepSeconds", "1"), ("Workers:RingAgainSeconds", "2"), ("Logging:LogLevel:Default", "None"));
        var user = await pipeline.AddUserAsync();
        (await pipeline.PublishAsync(Body("first"), user.Token)).ShouldBeAccepted();
        await pipeline.SettleAsync("first");
        var names = new List<string>();
        for (var outage = 0; outage < Outages; outage++)
        {
            var replies = new ConcurrentDictionary<string, PublishReply>(StringComparer.Ordinal);
            using var over = new CancellationTokenSource();
            var clients = Enumerable.Range(0, Clients).Select(client => PublishUntilRefusedAsync(pipeline, user, $"o{outage}-c{client}", replies, over.Token)).ToList();
            await Deadline.UntilAsync(60, () => Task.FromResult(replies.Count < 5 * Clients ? $"{replies.Count} publishes are answered" : null));
            await server.KillAsync("postgres");
            await ShouldBeAwayAsync(pipeline, user);
            await server.RestartAsync("postgres");
            await over.CancelAsync();
            await Task.WhenAll(clients);

            foreach (var (name, reply) in replies)
            {
                reply.Status.ShouldBeOneOf(HttpStatusCode.OK, HttpStatusCode.ServiceUnavailable);
                // Refused, or not known to have been kept: the same again is a success either way.
                if (!reply.IsAccepted) (await pipeline.PublishAsync(Body(name), user.Token)).ShouldBeAccepted();
                names.Add(name);
            }
        }

        await pipeline.SettleAsync();
        await Deadline.UntilAsync(60, async () =>
        {
            var open = (await pipeline.AdminAsync(HttpMethod.Get, "failures?limit=100")).GetProperty("failures");
            return open.GetArrayLength() == 0 ? null : $"a failure stands open: {open[0].GetRawText()}";
        });
        foreach (var name in names)
        {
            (await pipeline.IndexLinesAsync(name)).ShouldNotBeNull(name).ShouldHaveSingleItem();
            (await pipeline.CommitsOfAsync(name)).ShouldHaveSingleItem();
        }
    }

    private static async Task ShouldBeAwayAsync(InProcessPipeline pipeline, Account user)
    {
        var refused = await pipeline.PublishAsync(Body("refused"), user.Token);
        (refused.Status, refused.Detail).ShouldBe((HttpStatusCode.ServiceUnavailable, "Service unavailable: the database cannot be reached"));
        (await pipeline.Http.GetAsync(new Uri("/readyz", UriKind.Relative))).StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        (await pipeline.Http.GetAsync(new Uri("/healthz", UriKind.Relative))).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await pipeline.IndexLinesAsync("first")).ShouldNotBeNull().ShouldHaveSingleItem();
        (await pipeline.Http.GetAsync(new Uri("/crates/first/first-1.0.0.crate", UriKind.Relative))).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    private static async Task PublishUntilRefusedAsync(InProcessPipeline pipeline, Account user, string prefix, ConcurrentDictionary<string, PublishReply> replies, CancellationToken over)
    {
        // One that was parked before the outage is held through it, and accepted.
        for (var n = 0; !over.IsCancellationRequested; n++)
        {
            var name = $"{prefix}-n{n}";
            var reply = await pipeline.PublishAsync(Body(name), user.Token);
            replies[name] = reply;
            if (!reply.IsAccepted) return;
        }
    }

    private static byte[] Body(string name) => CrateFile.Body(name, "1.0.0", CrateFile.Plain(name, "1.0.0"));
}
