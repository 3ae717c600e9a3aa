using System.Data.Common;

namespace Pipeline.Registry.Database;

/// <summary>The current row of a result, read by position: the same calls on both engines.</summary>
public readonly struct Row(DbDataReader reader)
{
    /// <summary>A 64-bit integer.</summary>
    public long Long(int column) => reader.GetInt64(column);

    /// <summary>A 64-bit integer or null.</summary>
    public long? LongOrNull(int column) => reader.IsDBNull(column) ? null : reader.GetInt64(column);

    /// <summary>A text.</summary>
    public string Text(int column) => reader.GetString(column);

    /// <summary>A text or null.</summary>
    public string? TextOrNull(int column) => reader.IsDBNull(column) ? null : reader.GetString(column);

    /// <summary>A boolean.</summary>
    public bool Bool(int column) => reader.GetBoolean(column);

    /// <summary>Bytes.</summary>
    public byte[] Bytes(int column) => reader.GetFieldValue<byte[]>(column);

    /// <summary>Bytes or null.</summary>
    public byte[]? BytesOrNull(int column) => reader.IsDBNull(column) ? null : reader.GetFieldValue<byte[]>(column);

    /// <summary>Whether the column is null.</summary>
    public bool IsNull(int column) => reader.IsDBNull(column);
}
