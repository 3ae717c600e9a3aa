using Pipeline.Registry.Database;
using Pipeline.Registry.Truth;

namespace Pipeline.Api.Crates;

/// <summary>The queries behind version objects.</summary>
public static class VersionViews
{
    /// <summary>The columns of a version object; the rows are <c>v</c>, <c>c</c> and <c>u</c>. <see cref="Read"/> reads them.</summary>
    internal const string Columns =
        """
        v.id, c.name, v.num, v.published_at, v.updated_at, v.features, v.yanked, v.yank_message, v.links, v.license, v.size, v.checksum,
        v.rust_version, v.has_lib, v.bin_names, v.edition, v.description, v.homepage, v.documentation, v.repository, u.id, u.login, u.name
        """;

    /// <summary>How many columns these are: a query may add its own behind them.</summary>
    internal const int ColumnCount = 23;

    /// <summary>Where those columns come from.</summary>
    internal const string From = "versions v JOIN crates c ON c.id = v.crate_id LEFT JOIN users u ON u.id = v.published_by";

    /// <summary>One version.</summary>
    internal static ValueTask<VersionObject?> VersionAsync(Statements sql, FoundVersion version) => version.Crate.IsMirrored
        ? MirroredVersions.OneAsync(sql, version)
        : sql.FirstAsync($"SELECT {Columns} FROM {From} WHERE v.id = $1", Read, version.Id);

    /// <summary>All versions of a crate, the latest row first.</summary>
    internal static ValueTask<List<VersionObject>> AllAsync(Statements sql, CrateObject crate) => crate.IsMirrored
        ? MirroredVersions.AllAsync(sql, crate.Id)
        : sql.QueryAsync($"SELECT {Columns} FROM {From} WHERE v.crate_id = $1 AND v.state = 'active' ORDER BY v.id DESC", Read, crate.Id);

    /// <summary>What was done to one version, oldest first.</summary>
    internal static ValueTask<List<VersionAction>> ActionsOfVersionAsync(Statements sql, long versionId) => sql.QueryAsync(
        """
        SELECT a.version_id, a.action, a.at, u.id, u.login, u.name FROM audit a JOIN users u ON u.id = a.user_id
        WHERE a.version_id = $1 AND a.action IN ('publish', 'yank', 'unyank') ORDER BY a.id
        """,
        ReadAction,
        versionId);

    /// <summary>What was done to the versions of a crate, oldest first.</summary>
    internal static ValueTask<List<VersionAction>> ActionsOfCrateAsync(Statements sql, long crateId) => sql.QueryAsync(
        """
        SELECT a.version_id, a.action, a.at, u.id, u.login, u.name FROM versions v JOIN audit a ON a.version_id = v.id JOIN users u ON u.id = a.user_id
        WHERE v.crate_id = $1 AND v.state = 'active' AND a.action IN ('publish', 'yank', 'unyank') ORDER BY a.id
        """,
        ReadAction,
        crateId);

    internal static VersionObject Read(Row row) => new()
    {
        Id = row.Long(0),
        Crate = row.Text(1),
        Num = row.Text(2),
        CreatedAt = row.Long(3),
        UpdatedAt = row.Long(4),
        Features = row.Text(5),
        Yanked = row.Bool(6),
        YankMessage = row.TextOrNull(7),
        Links = row.TextOrNull(8),
        License = row.TextOrNull(9),
        Size = row.Long(10),
        Checksum = row.Text(11),
        RustVersion = row.TextOrNull(12),
        HasLib = row.Bool(13),
        BinNames = row.Text(14),
        Edition = row.TextOrNull(15),
        Description = row.TextOrNull(16),
        Homepage = row.TextOrNull(17),
        Documentation = row.TextOrNull(18),
        Repository = row.TextOrNull(19),
        PublishedBy = row.IsNull(20) ? null : (row.Long(20), row.Text(21), row.TextOrNull(22)),
    };

    private static VersionAction ReadAction(Row row) => new(row.Long(0), row.Text(1), row.Long(2), row.Long(3), row.Text(4), row.TextOrNull(5));
}
