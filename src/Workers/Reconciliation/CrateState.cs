using System.Globalization;
using System.Text;
using Pipeline.Registry.Database;

namespace Pipeline.Workers.Reconciliation;

/// <summary>
/// How a crate and its projections stand at one moment. What was seen outside between two equal states at rest is what stands: a renderer or
/// the git writer at work shows in the claims, or in the time at which a projection got where it is.
/// </summary>
/// <param name="Revision">The crate's revision.</param>
/// <param name="Behind">How many of its projections lag.</param>
/// <param name="Claims">How many renderers are at work on it.</param>
/// <param name="ReachedAt">When its projections last got somewhere, microseconds, the latest.</param>
/// <param name="Projections">How many there are.</param>
public sealed record CrateState(long Revision, long Behind, long Claims, long ReachedAt, long Projections)
{
    // The projections of a name, and its revisions, are its first row's, whichever crate is served under it.
    private const string Sql =
        """
        SELECT c.id, (SELECT r.revision FROM crates r WHERE r.id = COALESCE(c.place_id, c.id)),
            (SELECT COUNT(*) FROM projections p WHERE p.crate_id = COALESCE(c.place_id, c.id) AND p.kind IN ('git', 'sparse') AND p.reached < p.wanted),
            (SELECT COUNT(*) FROM claims k WHERE k.crate_id = COALESCE(c.place_id, c.id) AND k.kind = 'sparse'),
            COALESCE((SELECT MAX(p.reached_at) FROM projections p WHERE p.crate_id = COALESCE(c.place_id, c.id) AND p.kind IN ('git', 'sparse')), 0),
            (SELECT COUNT(*) FROM projections p WHERE p.crate_id = COALESCE(c.place_id, c.id) AND p.kind IN ('git', 'sparse'))
        FROM crates c WHERE c.id IN (SELECT CAST(id AS BIGINT) FROM ids)
        """;

    private static readonly string SqliteSql = $"WITH ids (id) AS {Dialect.Sqlite.TextList("$1")} {Sql}";
    private static readonly string PostgresSql = $"WITH ids (id) AS {Dialect.Postgres.TextList("$1")} {Sql}";

    /// <summary>Whether nothing is on its way.</summary>
    public bool IsAtRest => Behind == 0 && Claims == 0;

    /// <summary>How some crates stand, all at one moment.</summary>
    public static async ValueTask<Dictionary<long, CrateState>> ReadAsync(Statements sql, IEnumerable<long> crates)
    {
        ArgumentNullException.ThrowIfNull(sql);
        ArgumentNullException.ThrowIfNull(crates);
        var ids = new StringBuilder("[");
        foreach (var crate in crates) ids.Append(ids.Length == 1 ? "" : ",").Append(CultureInfo.InvariantCulture, $"\"{crate}\"");
        var rows = await sql.QueryAsync(
            sql.Dialect == Dialect.Sqlite ? SqliteSql : PostgresSql,
            static row => (Id: row.Long(0), State: new CrateState(row.Long(1), row.Long(2), row.Long(3), row.Long(4), row.Long(5))), ids.Append(']').ToString()).ConfigureAwait(false);
        return rows.ToDictionary(static row => row.Id, static row => row.State);
    }
}
