using Pipeline.Registry.Database;

namespace Pipeline.Registry.Truth;

/// <summary>How much the registry has.</summary>
/// <param name="Crates">Crates that are not deleted.</param>
/// <param name="Shown">Those of them that are served.</param>
/// <param name="Versions">Versions that are not deleted.</param>
/// <param name="Users">Accounts.</param>
public sealed record RegistryTotals(long Crates, long Shown, long Versions, long Users)
{
    // All rows less those that are not meant: an engine counts a table by its narrowest index, and the few have indexes of their own.
    private const string Sql =
        """
        SELECT (SELECT COUNT(*) FROM crates), (SELECT COUNT(*) FROM crates WHERE state = 'deleted'), (SELECT COUNT(*) FROM crates WHERE state = 'deleted' OR NOT served),
            (SELECT COUNT(*) FROM versions), (SELECT COUNT(*) FROM versions WHERE state = 'deleted'), (SELECT COUNT(*) FROM users)
        """;

    /// <summary>Counts, or says what was counted a moment ago.</summary>
    public static ValueTask<RegistryTotals> ReadAsync(Statements sql, RareCounts counts)
    {
        ArgumentNullException.ThrowIfNull(counts);
        return counts.ReadAsync("totals", sql, CountAsync);
    }

    private static async ValueTask<RegistryTotals> CountAsync(Statements sql) => (await sql.FirstAsync(
        Sql,
        static row => new RegistryTotals(row.Long(0) - row.Long(1), row.Long(0) - row.Long(2), row.Long(3) - row.Long(4), row.Long(5))).ConfigureAwait(false))!;
}
