using Pipeline.Contracts;
using Pipeline.Contracts.Index;
using Pipeline.Registry.Database;
using Pipeline.Registry.Identity;
using Pipeline.Registry.Store;
using Pipeline.Registry.Truth;

namespace Pipeline.Api.Tests;

/// <summary>Puts crates into the truth as the publish pipeline leaves them.</summary>
public static class TestCrates
{
    /// <summary>Publishes a version in the name of a login; the crate is made when it is its first.</summary>
    public static async Task PublishAsync(
        this ApiFixture fixture, string login, string name, string num, string[]? dependsOn = null, string? readme = null, string? description = null,
        string[]? keywords = null, string[]? categories = null)
    {
        var user = await fixture.UserAsync(login);
        var bytes = System.Text.Encoding.UTF8.GetBytes($"the bytes of {name} {num}");
        fixture.Clock.Advance(TimeSpan.FromSeconds(1));
        var key = StoreKeys.Crate(name, num);
        await fixture.Store.PutAsync(key, bytes, TestContext.Current.CancellationToken);
        await fixture.Temp.Database.WriteAsync(sql => InsertAsync(sql, user.Id, name, CrateVersion.Parse(num), new Wanted(
            Checksum.OfContent(bytes).ToString(), bytes.Length, key, dependsOn ?? [], readme, description, keywords ?? [], categories ?? [])));
    }

    private static async ValueTask<long> InsertAsync(Statements sql, long userId, string name, CrateVersion version, Wanted wanted)
    {
        var crate = await CrateLookup.CrateAsync(sql, name) ?? await InsertCrateAsync(sql, userId, name);
        var rank = DefaultVersion.Rank(version, false);
        await sql.ExecuteAsync(
            """
            UPDATE crates SET num_versions = num_versions + 1, description = $2, keywords = $3, categories = $4, last_published_at = now_us(), updated_at = now_us(),
                default_version = CASE WHEN default_rank IS NULL OR default_rank < $6 THEN $5 ELSE default_version END,
                default_rank = CASE WHEN default_rank IS NULL OR default_rank < $6 THEN $6 ELSE default_rank END
            WHERE id = $1
            """,
            crate.Id, wanted.Description, JsonTexts.Write(wanted.Keywords), JsonTexts.Write(wanted.Categories), version.Text, rank);
        var dependencies = DependencyJson.Write(wanted.DependsOn.Select(on => new IndexDependency(on, "^1", [], false, true, null, DependencyKind.Normal, null, null)));
        var id = await sql.LongAsync(
            """
            INSERT INTO versions (crate_id, num, num_no_build, sort_key, prerelease, checksum, size, object_key, entry_head, entry_tail, dependencies, features,
                license, has_lib, bin_names, readme, published_by, publish_id, published_at, updated_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, '', '', $9, '{"default":["std"],"std":[]}', 'MIT', TRUE, '["tool"]', $10, $11, 'p', now_us(), now_us())
            RETURNING id
            """,
            crate.Id, version.Text, version.WithoutBuild, version.ToSortKey(), version.IsPrerelease, wanted.Checksum, (long)wanted.Size, wanted.ObjectKey, dependencies,
            wanted.Readme, userId);
        foreach (var on in wanted.DependsOn) await sql.ExecuteAsync("INSERT INTO dependencies (version_id, name) VALUES ($1, $2)", id, on);
        await Revisions.BumpAsync(sql, crate.Id, "publish", version.Text);
        await Audit.WriteAsync(sql, "publish", new Actor(userId, null), crate.Id, id);
        return id!.Value;
    }

    private static async ValueTask<FoundCrate> InsertCrateAsync(Statements sql, long userId, string name)
    {
        var id = await sql.LongAsync(
            "INSERT INTO crates (canonical, name, revision, last_published_at, created_at, updated_at) VALUES ($1, $2, 0, now_us(), now_us(), now_us()) RETURNING id",
            CanonicalName.Of(name).Text, name);
        await sql.ExecuteAsync("INSERT INTO owners (crate_id, user_id, added_by, added_at) VALUES ($1, $2, $2, now_us())", id, userId);
        return new FoundCrate(id!.Value, name);
    }

    private sealed record Wanted(
        string Checksum, int Size, string ObjectKey, string[] DependsOn, string? Readme, string? Description, string[] Keywords, string[] Categories);
}
