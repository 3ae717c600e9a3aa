using Pipeline.Registry.Database;
using Pipeline.Registry.Truth;

namespace Pipeline.Registry.Tests.Truth;

/// <summary>The protocol by which renderers that hold no lock still leave the newest bytes (design, law 4).</summary>
public sealed class ClaimsTests : IAsyncLifetime
{
    private const string Me = "process-a";
    private const string Other = "process-b";

    private TempDatabase _temp = null!;
    private long _crate;

    private IDatabase Database => _temp.Database;

    public async ValueTask InitializeAsync()
    {
        _temp = await TempDatabase.CreateAsync();
        _crate = await Database.WriteAsync(async sql =>
        {
            foreach (var process in new[] { Me, Other })
                await sql.ExecuteAsync("INSERT INTO processes (id, roles, started_at, seen_at) VALUES ($1, 'all', 0, 0)", process);
            var id = await sql.LongAsync(
                "INSERT INTO crates (canonical, name, revision, last_published_at, created_at, updated_at) VALUES ('foo', 'foo', 1, 0, 0, 0) RETURNING id");
            await Revisions.RecordAsync(sql, id!.Value, 1, "foo", "publish", "1.0.0", null);
            return id.Value;
        });
    }

    public ValueTask DisposeAsync() => _temp.DisposeAsync();

    [Fact]
    public async Task Closing_the_newest_claim_reaches_its_revision_and_leaves_nothing_to_do()
    {
        var claim = await OpenAsync(Me);

        (await CloseAsync(claim!, 1, Me)).ShouldBeNull();

        (await ReachedAsync()).ShouldBe(1);
        (await OpenAsync(Me)).ShouldBeNull();
    }

    [Fact]
    public async Task A_renderer_that_was_overtaken_must_render_again_although_the_newer_one_has_closed()
    {
        var slow = await OpenAsync(Me);
        await BumpAsync("yank");
        var fast = await OpenAsync(Other);
        (await CloseAsync(fast!, 2, Other)).ShouldBeNull();

        var again = await CloseAsync(slow!, 1, Me);

        again.ShouldNotBeNull();
        again.Revision.ShouldBe(2);
        (await CloseAsync(again, 2, Me)).ShouldBeNull();
        (await ReachedAsync()).ShouldBe(2);
    }

    [Fact]
    public async Task A_renderer_that_read_a_newer_revision_than_it_claimed_reaches_what_it_read()
    {
        var claim = await OpenAsync(Me);
        await BumpAsync("yank");

        (await CloseAsync(claim!, 2, Me)).ShouldBeNull();

        (await ReachedAsync()).ShouldBe(2);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_renderer_of_what_was_claimed_must_render_again_when_another_wrote_a_newer_revision_under_the_same_claim(bool slowOneClosesLast)
    {
        var (fast, slow) = (await OpenAsync(Me), await OpenAsync(Other));
        await BumpAsync("yank");
        var raised = await RaiseAsync(fast!, 2);

        // Both have written, the slow one last.
        if (slowOneClosesLast) (await CloseAsync(raised, 2, Me)).ShouldBeNull();
        var again = await CloseAsync(slow!, 1, Other);
        if (!slowOneClosesLast) (await CloseAsync(raised, 2, Me)).ShouldBeNull();

        again.ShouldNotBeNull();
        (await CloseAsync(again, 2, Other)).ShouldBeNull();
        (await ReachedAsync()).ShouldBe(2);
    }

    [Fact]
    public async Task Reaching_an_older_revision_leaves_the_projection_behind_from_the_first_change_it_lacks()
    {
        var claim = await OpenAsync(Me);
        await BumpAsync("yank");
        await BumpAsync("unyank");

        (await CloseAsync(claim!, 1, Me)).ShouldBeNull();

        var first = await Database.ReadAsync(sql => sql.LongAsync("SELECT first_change FROM projections WHERE kind = 'sparse'"));
        var expected = await Database.ReadAsync(sql => sql.LongAsync("SELECT id FROM changes WHERE kind = 'yank'"));
        first.ShouldBe(expected);
        (await OpenAsync(Me)).ShouldNotBeNull();
    }

    [Fact]
    public async Task A_claim_left_by_a_dead_process_is_rendered_again_although_the_revision_was_reached()
    {
        await OpenAsync(Other);
        var mine = await OpenAsync(Me);
        await CloseAsync(mine!, 1, Me);
        await Database.WriteAsync(sql => sql.ExecuteAsync("DELETE FROM processes WHERE id = $1", Other));

        var again = await OpenAsync(Me);

        again.ShouldNotBeNull();
        (await CloseAsync(again, 1, Me)).ShouldBeNull();
        (await Database.ReadAsync(sql => sql.LongAsync("SELECT count(*) FROM claims"))).ShouldBe(0);
    }

    [Fact]
    public async Task A_renderer_taken_for_dead_that_wakes_up_must_render_again()
    {
        var slow = await OpenAsync(Other);
        await Database.WriteAsync(sql => sql.ExecuteAsync("DELETE FROM processes WHERE id = $1", Other));
        var mine = await OpenAsync(Me);
        await CloseAsync(mine!, 1, Me);

        (await CloseAsync(slow!, 1, Other)).ShouldNotBeNull();
    }

    private ValueTask<Claim?> OpenAsync(string process) => Database.WriteAsync(sql => Claims.OpenAsync(sql, _crate, ProjectionKinds.Sparse, process));

    [Fact]
    public async Task Closing_tells_the_causes_of_what_it_shows_and_each_is_told_once()
    {
        await CauseAsync(1, "a", 10);
        await BumpAsync("publish");
        await CauseAsync(2, "b", 20);
        var slow = await OpenAsync(Me);
        var fast = await OpenAsync(Other);
        await BumpAsync("publish");
        await CauseAsync(3, "c", 30);

        (await ShownAsync(fast!, 2, Other)).ShouldBe([new Cause("a", 10), new Cause("b", 20)]);
        (await ShownAsync(slow!, 3, Me)).ShouldBe([new Cause("c", 30)]);
    }

    [Fact]
    public async Task A_claim_comes_with_the_cause_of_the_oldest_change_it_lacks()
    {
        await CauseAsync(1, "a", 10);
        var claim = await OpenAsync(Me);
        await BumpAsync("yank");

        (claim!.Lack!.Cause, claim.Lack.Reached).ShouldBe((new Cause("a", 10), 0));
        (await ShownAsync(claim, 1, Me)).ShouldBe([new Cause("a", 10)]);
        (await ShownAsync((await OpenAsync(Other))!, 2, Other)).Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_change_keeps_the_trace_it_was_made_in()
    {
        using var activity = new System.Diagnostics.Activity("yank").Start();
        await BumpAsync("yank");

        (await Database.ReadAsync(sql => sql.TextAsync("SELECT trace_parent FROM changes WHERE kind = 'yank'"))).ShouldBe(activity.Id);
    }

    private ValueTask<int> CauseAsync(long revision, string trace, long acceptedAt) => Database.WriteAsync(sql => sql.ExecuteAsync(
        "UPDATE changes SET trace_parent = $2, accepted_at = $3 WHERE revision = $1", revision, trace, acceptedAt));

    private async Task<IReadOnlyList<Cause>> ShownAsync(Claim claim, long rendered, string process)
    {
        var closed = await ClosedAsync(claim, rendered, process);
        closed.Again.ShouldBeNull();
        return closed.Shown;
    }

    private async ValueTask<Claim?> CloseAsync(Claim claim, long rendered, string process) => (await ClosedAsync(claim, rendered, process)).Again;

    private async ValueTask<Closed> ClosedAsync(Claim claim, long rendered, string process)
    {
        var raised = await RaiseAsync(claim, rendered);
        return await Database.WriteAsync(sql => Claims.CloseAsync(sql, raised, "3/f/foo", process));
    }

    private ValueTask<Claim> RaiseAsync(Claim claim, long rendered) => Database.WriteAsync(sql => Claims.RaiseAsync(sql, claim, rendered));

    private ValueTask<Revised> BumpAsync(string kind) => Database.WriteAsync(sql => Revisions.BumpAsync(sql, _crate, kind, "1.0.0"));

    private ValueTask<long?> ReachedAsync() => Database.ReadAsync(sql => sql.LongAsync("SELECT reached FROM projections WHERE kind = 'sparse'"));
}
