using Microsoft.Extensions.DependencyInjection;
using Pipeline.Contracts.Index;
using Pipeline.Contracts.Notices;
using Pipeline.Contracts.Search;
using Pipeline.Contracts.Upkeep;
using Pipeline.Registry.Identity;
using Pipeline.Registry.Options;
using Pipeline.Registry.Truth;

namespace Pipeline.Api.Tests.Crates;

public class DeletionTests
{
    [Fact]
    public async Task Deletion_is_a_state_that_bumps_the_revision_and_keeps_every_row()
    {
        await using var fixture = await ApiFixture.CreateAsync();
        await fixture.PublishAsync("ann", "Foo", "1.0.0");
        await fixture.PublishAsync("ann", "Foo", "1.1.0");
        var answer = await fixture.SendAsync("DELETE", "/api/v1/crates/foo?message=mistake", await fixture.TokenAsync("ann"));
        answer.Status.ShouldBe(204, answer.Text);
        answer.Body.ShouldBeEmpty();

        (await fixture.Temp.TextAsync("SELECT state || ' ' || revision || ' ' || num_versions FROM crates")).ShouldBe("deleted 3 0");
        (await fixture.Temp.LongAsync("SELECT available_at - deleted_at FROM crates")).ShouldBe(24L * 3600 * 1_000_000);
        (await fixture.Temp.LongAsync("SELECT COUNT(*) FROM versions WHERE state = 'deleted' AND NOT freed")).ShouldBe(2);
        (await fixture.Temp.TextsAsync("SELECT object_key || ' ' || revision FROM deletions ORDER BY id"))
            .ShouldBe("crates/Foo/Foo-1.0.0.crate 3, crates/Foo/Foo-1.1.0.crate 3");
        (await fixture.Temp.TextAsync("SELECT kind FROM changes ORDER BY id DESC")).ShouldBe("delete");
        (await fixture.Temp.TextAsync("SELECT detail FROM audit WHERE action = 'delete-crate'")).ShouldBe("Foo, owned by ann: mistake");
        (await fixture.CountAsync("owners")).ShouldBe(0);
        fixture.Bells.Take().ShouldBe([new RenderSparse(1), new CommitIndex(), new RecordCrate(1), new UpdateSearch(), new SendNotices(), new DeleteBytes(1)]);

        (await fixture.GetAsync("/api/v1/crates/foo")).ShouldFail(404, "crate `foo` does not exist");
        (await fixture.GetAsync("/api/v1/crates?q=foo")).Json.GetProperty("meta").GetProperty("total").GetInt32().ShouldBe(0);
    }

    [Fact]
    public async Task The_name_stays_blocked_for_the_configured_time_unless_an_operator_says_otherwise()
    {
        await using var fixture = await ApiFixture.CreateAsync(change: static services => services.AddSingleton(new PublishOptions { DeletedNameHours = 2 }));
        await fixture.PublishAsync("ann", "foo", "1.0.0");
        await fixture.PublishAsync("ann", "bar", "1.0.0");
        await fixture.PublishAsync("ann", "baz", "1.0.0");
        await fixture.UserAsync("root", isAdmin: true);
        var root = await fixture.TokenAsync("root");

        (await fixture.SendAsync("DELETE", "/api/v1/crates/foo", await fixture.TokenAsync("ann"))).Status.ShouldBe(204);
        (await fixture.SendAsync("DELETE", "/api/v1/admin/crates/bar", root)).Status.ShouldBe(200);
        (await fixture.SendAsync("DELETE", "/api/v1/admin/crates/baz?availability_delay_hours=5", root)).Status.ShouldBe(200);

        (await fixture.Temp.TextsAsync("SELECT ((available_at - deleted_at) / 3600000000) || ' ' || name FROM crates ORDER BY name DESC")).ShouldBe("2 foo, 5 baz, 2 bar");
    }

    [Fact]
    public async Task Without_a_delay_name_numbers_and_bytes_are_free_at_once_those_of_earlier_deletions_too()
    {
        await using var fixture = await ApiFixture.CreateAsync();
        await fixture.PublishAsync("ann", "foo", "1.0.0");
        await fixture.PublishAsync("ann", "foo", "1.1.0");
        await RunAsync(fixture, async (sql, crate) => await CrateDeletion.DeleteVersionAsync(sql, (await CrateLookup.VersionAsync(sql, crate, "1.0.0"))!, false, Actor.System, null));
        (await fixture.Temp.LongAsync("SELECT COUNT(*) FROM versions WHERE freed")).ShouldBe(0);
        await RunAsync(fixture, (sql, crate) => CrateDeletion.DeleteAsync(sql, crate, TimeSpan.Zero, Actor.System, null));
        (await fixture.Temp.LongAsync("SELECT COUNT(*) FROM versions WHERE freed AND state = 'deleted'")).ShouldBe(2);
        (await fixture.Temp.LongAsync("SELECT count(*) FROM crates WHERE available_at <= deleted_at")).ShouldBe(1);
        (await fixture.CountAsync("deletions")).ShouldBe(2);
    }

    [Fact]
    public async Task What_an_earlier_deletion_blocks_can_be_freed()
    {
        await using var fixture = await ApiFixture.CreateAsync();
        await fixture.PublishAsync("ann", "Foo", "1.0.0");
        (await FreeAsync(fixture)).ShouldBeFalse("it is in force");
        await RunAsync(fixture, (sql, crate) => CrateDeletion.DeleteAsync(sql, crate, TimeSpan.FromHours(24), Actor.System, null));
        (await FreeAsync(fixture)).ShouldBeTrue();
        (await fixture.Temp.LongAsync("SELECT available_at - deleted_at FROM crates")).ShouldBe(0);
        (await fixture.Temp.LongAsync("SELECT COUNT(*) FROM versions WHERE freed")).ShouldBe(1);
    }

    [Fact]
    public async Task A_deleted_version_is_gone_from_every_answer_and_the_default_is_found_anew()
    {
        await using var fixture = await ApiFixture.CreateAsync();
        await fixture.PublishAsync("ann", "foo", "1.0.0");
        await fixture.PublishAsync("ann", "foo", "1.1.0");
        await RunAsync(fixture, async (sql, crate) => await CrateDeletion.DeleteVersionAsync(sql, (await CrateLookup.VersionAsync(sql, crate, "1.1.0"))!, false, Actor.System, "bad"));
        (await fixture.GetAsync("/api/v1/crates/foo/1.1.0")).ShouldFail(404, "crate `foo` does not have a version `1.1.0`");
        var crate = (await fixture.GetAsync("/api/v1/crates/foo")).Json;
        crate.GetProperty("versions").GetArrayLength().ShouldBe(1);
        crate.GetProperty("crate").GetProperty("default_version").GetString().ShouldBe("1.0.0");
        crate.GetProperty("crate").GetProperty("num_versions").GetInt32().ShouldBe(1);
        crate.GetProperty("crate").GetProperty("max_version").GetString().ShouldBe("1.0.0");
        (await fixture.Temp.TextAsync("SELECT detail FROM audit WHERE action = 'delete-version'")).ShouldBe("bad");
    }

    [Fact]
    public async Task A_crate_that_others_depend_on_stays()
    {
        await using var fixture = await ApiFixture.CreateAsync();
        await fixture.PublishAsync("ann", "foo", "1.0.0");
        await fixture.PublishAsync("ann", "foo", "1.1.0", dependsOn: ["foo"]);
        await fixture.PublishAsync("bob", "user-of-foo", "0.3.0", dependsOn: ["foo"]);
        var token = await fixture.TokenAsync("ann");
        (await fixture.SendAsync("DELETE", "/api/v1/crates/foo", token))
            .ShouldFail(422, "only crates without reverse dependencies can be deleted (e.g. user-of-foo@0.3.0 depends on this crate)");
        (await fixture.SendAsync("DELETE", "/api/v1/crates/user-of-foo", await fixture.TokenAsync("bob"))).Status.ShouldBe(204);
        (await fixture.SendAsync("DELETE", "/api/v1/crates/foo", token)).Status.ShouldBe(204);
    }

    [Fact]
    public async Task After_72_hours_only_a_single_owner_can_delete()
    {
        await using var fixture = await ApiFixture.CreateAsync();
        await fixture.PublishAsync("ann", "foo", "1.0.0");
        await fixture.PublishAsync("ann", "bar", "1.0.0");
        await fixture.UserAsync("bob");
        foreach (var name in new[] { "foo", "bar" })
            await fixture.SendAsync("PUT", $"/api/v1/crates/{name}/owners", await fixture.TokenAsync("ann"), """{"users":["bob"]}""");
        (await fixture.SendAsync("DELETE", "/api/v1/crates/bar", await fixture.TokenAsync("ann"))).Status.ShouldBe(204);
        fixture.Clock.Advance(TimeSpan.FromHours(72));
        var token = await fixture.TokenAsync("ann");
        (await fixture.SendAsync("DELETE", "/api/v1/crates/foo", token)).ShouldFail(422, "only crates with a single owner can be deleted after 72 hours");
        await fixture.SendAsync("DELETE", "/api/v1/crates/foo/owners", token, """{"users":["bob"]}""");
        (await fixture.SendAsync("DELETE", "/api/v1/crates/foo", token)).Status.ShouldBe(204);
    }

    [Fact]
    public async Task Only_owners_with_an_unlimited_token_delete()
    {
        await using var fixture = await ApiFixture.CreateAsync();
        await fixture.PublishAsync("ann", "foo", "1.0.0");
        (await fixture.SendAsync("DELETE", "/api/v1/crates/foo")).ShouldFail(403, "this action requires authentication");
        (await fixture.SendAsync("DELETE", "/api/v1/crates/foo", await fixture.TokenAsync("bob"))).ShouldFail(403, "only owners have permission to delete crates");
        (await fixture.SendAsync("DELETE", "/api/v1/crates/foo", await fixture.TokenAsync("ann", ["change-owners"])))
            .ShouldFail(403, "this token does not have the required permissions to perform this action");
        (await fixture.SendAsync("DELETE", "/api/v1/crates/nope", await fixture.TokenAsync("ann"))).ShouldFail(404, "crate `nope` does not exist");
    }

    private static async Task<bool> FreeAsync(ApiFixture fixture) =>
        await fixture.Temp.Database.WriteAsync(static sql => CrateDeletion.FreeAsync(sql, "foo", Actor.System));

    private static async Task RunAsync(ApiFixture fixture, Func<Registry.Database.Statements, FoundCrate, ValueTask<Revised>> work) =>
        await fixture.Temp.Database.WriteAsync(async sql => await work(sql, (await CrateLookup.LockCrateAsync(sql, "foo"))!));
}
