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

    private async ValueTask<Claim?> CloseAsync(Claim claim, long rendered, string process)
    {
        var raised = await RaiseAsync(claim, rendered);
        return await Database.WriteAsync(sql => Claims.CloseAsync(sql, raised, "3/f/foo", process));
    }

    private ValueTask<Claim> RaiseAsync(Claim claim, long rendered) => Database.WriteAsync(sql => Claims.RaiseAsync(sql, claim, rendered));

    private ValueTask<Revised> BumpAsync(string kind) => Database.WriteAsync(sql => Revisions.BumpAsync(sql, _crate, kind, "1.0.0"));

    private ValueTask<long?> ReachedAsync() => Database.ReadAsync(sql => sql.LongAsync("SELECT reached FROM projections WHERE kind = 'sparse'"));
}
