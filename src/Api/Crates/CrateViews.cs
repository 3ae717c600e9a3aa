using Pipeline.Contracts;
using Pipeline.Registry.Database;

namespace Pipeline.Api.Crates;

/// <summary>The queries behind crate objects.</summary>
public static class CrateViews
{
    /// <summary>The columns of a crate object; the crate's row is <c>c</c>. <see cref="Read"/> reads them.</summary>
    internal const string Columns =
        """
        c.id, c.name, c.created_at, c.updated_at, c.keywords, c.categories, c.description, c.homepage, c.documentation, c.repository,
        c.num_versions, c.default_version, c.default_rank,
        CASE WHEN c.source = 'local' THEN
            (SELECT v.num FROM versions v WHERE v.crate_id = c.id AND v.state = 'active' AND NOT v.yanked ORDER BY v.sort_key DESC LIMIT 1) ELSE c.default_version END,
        CASE WHEN c.source = 'local' THEN
            (SELECT v.num FROM versions v WHERE v.crate_id = c.id AND v.state = 'active' AND NOT v.yanked ORDER BY v.published_at DESC LIMIT 1) ELSE c.default_version END,
        c.source
        """;

    /// <summary>How many columns these are: a query may add its own behind them.</summary>
    internal const int ColumnCount = 16;

    /// <summary>The crate object of a row, in one query whose cost does not grow with the versions; null: there is none in force.</summary>
    public static ValueTask<CrateObject?> CrateObjectAsync(IDatabase database, long crateId, CancellationToken cancellationToken = default) =>
        database.ReadAsync(sql => CrateObjectAsync(sql, crateId), cancellationToken);

    /// <summary>The same on an open connection.</summary>
    public static ValueTask<CrateObject?> CrateObjectAsync(Statements sql, long crateId) =>
        sql.FirstAsync($"SELECT {Columns} FROM crates c WHERE c.id = $1 AND c.state = 'active'", Read, crateId);

    /// <summary>The crate object of a name in any spelling; null: there is none.</summary>
    public static ValueTask<CrateObject?> CrateObjectAsync(Statements sql, string name) => sql.FirstAsync(
        $"SELECT {Columns} FROM crates c WHERE c.namespace = '' AND c.served AND c.canonical = $1 AND c.state = 'active'",
        Read,
        CanonicalName.Of(name).Text);

    internal static CrateObject Read(Row row) => new(
        row.Long(0),
        row.Text(1),
        row.Long(2),
        row.Long(3),
        row.Text(4),
        row.Text(5),
        row.TextOrNull(6),
        row.TextOrNull(7),
        row.TextOrNull(8),
        row.TextOrNull(9),
        row.Long(10),
        row.TextOrNull(11),
        row.BytesOrNull(12),
        row.TextOrNull(13),
        row.TextOrNull(14))
    {
        Source = row.Text(15),
    };
}
