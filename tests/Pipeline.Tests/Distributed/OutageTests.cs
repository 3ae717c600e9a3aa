using System.Net;
using Pipeline.Contracts.Index;
using Pipeline.Tests.Generating;
using Pipeline.Tests.Serving;

namespace Pipeline.Tests.Distributed;

/// <summary>One service after the other goes away and comes back (design, section 8; law 2).</summary>
[Collection("distributed")]
public sealed class OutageTests(DistributedShape shape)
{
    [Fact]
    public async Task A_broker_that_is_wiped_loses_nothing_because_the_sweep_rings_again()
    {
        for (var i = 0; i < 20; i++) await ParkAsync($"wiped{i}");
        await shape.Pipeline.Broker.WipeAsync();

        await shape.Pipeline.SettleAsync(60);
        for (var i = 0; i < 20; i++) (await shape.Pipeline.IndexLinesAsync($"wiped{i}")).ShouldNotBeNull().Length.ShouldBe(1);
    }

    [Fact]
    public async Task While_the_broker_is_away_publishes_are_taken_and_they_are_decided_once_it_is_back()
    {
        shape.Pipeline.BrokerCable.Cut();
        string id;
        try
        {
            id = await ParkAsync("unrung");
            (await shape.Pipeline.PublishStatusAsync(id)).GetProperty("state").GetString().ShouldBe("parked");
        }
        finally
        {
            shape.Pipeline.BrokerCable.Mend();
        }

        // The bus tries to connect again after up to a minute.
        await shape.Pipeline.SettleAsync(120);
        (await shape.Pipeline.IndexLinesAsync("unrung")).ShouldNotBeNull();
    }

    [Fact]
    public async Task While_the_store_is_away_publishing_answers_503_with_a_reason_and_works_again_afterwards()
    {
        shape.Pipeline.StoreCable.Cut();
        PublishReply refused;
        try
        {
            refused = await shape.Pipeline.PublishAsync(CrateFile.Body("unstored", "1.0.0", CrateFile.Plain("unstored", "1.0.0")), shape.User.Token);
        }
        finally
        {
            shape.Pipeline.StoreCable.Mend();
        }

        refused.Status.ShouldBe(HttpStatusCode.ServiceUnavailable);
        refused.Text.ShouldContain("\"detail\"");
        (await shape.Pipeline.PublishAsync(CrateFile.Body("unstored", "1.0.0", CrateFile.Plain("unstored", "1.0.0")), shape.User.Token)).ShouldBeAccepted();
    }

    [Fact]
    public async Task While_the_database_is_away_publishing_answers_503_with_a_reason_and_the_index_and_downloads_go_on()
    {
        (await shape.Pipeline.PublishAsync(CrateFile.Body("readable", "1.0.0", CrateFile.Plain("readable", "1.0.0")), shape.User.Token)).ShouldBeAccepted();
        await Deadline.UntilAsync(30, async () => await shape.Pipeline.IndexLinesAsync("readable") is null ? "the index line" : null);

        shape.Pipeline.DatabaseCable.Cut();
        try
        {
            var refused = await shape.Pipeline.PublishAsync(CrateFile.Body("unparked", "1.0.0", CrateFile.Plain("unparked", "1.0.0")), shape.User.Token);
            refused.Status.ShouldBe(HttpStatusCode.ServiceUnavailable);
            refused.Text.ShouldContain("\"detail\"");
            (await shape.Pipeline.GetAsync($"/index/{IndexPath.Of("readable")}")).ShouldNotBeNull();
            (await shape.Pipeline.Http.GetByteArrayAsync(new Uri("/crates/readable/readable-1.0.0.crate", UriKind.Relative))).ShouldNotBeEmpty();
        }
        finally
        {
            shape.Pipeline.DatabaseCable.Mend();
        }

        await Deadline.UntilAsync(30, async () =>
        {
            var reply = await shape.Pipeline.PublishAsync(CrateFile.Body("unparked", "1.0.0", CrateFile.Plain("unparked", "1.0.0")), shape.User.Token);
            return reply.IsAccepted ? null : $"{(int)reply.Status} {reply.Text}";
        });
    }

    private async Task<string> ParkAsync(string name)
    {
        var reply = await shape.Pipeline.PublishAsync(CrateFile.Body(name, "1.0.0", CrateFile.Plain(name, "1.0.0")), shape.User.Token, ("Prefer", "respond-async"));
        reply.Status.ShouldBe(HttpStatusCode.Accepted, reply.Text);
        return reply.PublishId!;
    }
}
