using Pipeline.Registry.Database;

namespace Pipeline.Bench.Crates;

/// <summary>The row of a version 1.0.0 that no publish brought.</summary>
internal static class SampleVersion
{
    /// <summary>Writes it.</summary>
    public static async ValueTask InsertAsync(Statements sql, long crateId, string checksum, string objectKey, long size) => await sql.ExecuteAsync(
        """
        INSERT INTO versions (crate_id, num, num_no_build, sort_key, prerelease, checksum, size, object_key, entry_head, entry_tail, dependencies,
            features, has_lib, bin_names, publish_id, published_at, updated_at)
        VALUES ($1, '1.0.0', '1.0.0', $5, $6, $2, $4, $3, '', '', '[]', '{}', $7, '[]', '', now_us(), now_us())
        """,
        crateId, checksum, objectKey, size, new byte[] { 0 }, false, true);
}
