using Pipeline.Api.Admin.Shapes;
using Pipeline.Contracts;
using Pipeline.Registry.Database;

namespace Pipeline.Api.Admin;

/// <summary>Reads a crate whole, as its operator wants to see it.</summary>
internal static class CrateQueries
{
    private const int MaxVersions = 1000;

    /// <summary>The crate of a name in any spelling, deleted or not; null: there never was one.</summary>
    public static async ValueTask<CrateShape?> FindAsync(Statements sql, string name)
    {
        var crate = await sql.FirstAsync(
            """
            SELECT id, name, state, revision, description, default_version, created_at, updated_at, deleted_at, available_at
            FROM crates WHERE namespace = '' AND source = 'local' AND canonical = $1
            """,
            static row => new CrateShape(
                row.Long(0), row.Text(1), row.Text(2), row.Long(3), row.TextOrNull(4), row.TextOrNull(5), [],
                Cells.Time(row.Long(6)), Cells.Time(row.Long(7)), Cells.Time(row.LongOrNull(8)), Cells.Time(row.LongOrNull(9)), [], []),
            CanonicalName.Of(name).Text).ConfigureAwait(false);
        return crate is null
            ? null
            : crate with
            {
                Owners = await OwnersAsync(sql, crate.Id).ConfigureAwait(false),
                Versions = await VersionsAsync(sql, crate.Id).ConfigureAwait(false),
                Projections = await ProjectionsAsync(sql, crate.Id).ConfigureAwait(false),
            };
    }

    private static ValueTask<List<string>> OwnersAsync(Statements sql, long crateId) => sql.QueryAsync(
        "SELECT u.login FROM owners o JOIN users u ON u.id = o.user_id WHERE o.crate_id = $1 ORDER BY u.id", static row => row.Text(0), crateId);

    private static ValueTask<List<VersionShape>> VersionsAsync(Statements sql, long crateId) => sql.QueryAsync(
        """
        SELECT v.num, v.state, v.freed, v.yanked, v.checksum, v.size, v.published_at, u.login, v.publish_id
        FROM versions v LEFT JOIN users u ON u.id = v.published_by WHERE v.crate_id = $1 ORDER BY v.published_at DESC, v.id DESC LIMIT $2
        """,
        static row => new VersionShape(
            row.Text(0), row.Text(1), row.Bool(2), row.Bool(3), row.Text(4), row.Long(5), Cells.Time(row.Long(6)), row.TextOrNull(7), row.Text(8)),
        crateId, (long)MaxVersions);

    private static ValueTask<List<ProjectionShape>> ProjectionsAsync(Statements sql, long crateId) => sql.QueryAsync(
        """
        SELECT kind, target, wanted, reached, reached_at, CASE WHEN reached < wanted THEN behind_since END, attempts, last_error
        FROM projections WHERE crate_id = $1 ORDER BY kind, target
        """,
        static row => new ProjectionShape(
            row.Text(0), row.Text(1), row.Long(2), row.Long(3), Cells.Time(row.LongOrNull(4)), Cells.Time(row.LongOrNull(5)), row.Long(6), row.TextOrNull(7)),
        crateId);
}
