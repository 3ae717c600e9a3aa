using Pipeline.Registry.Database;

namespace Pipeline.Registry.Truth;

/// <summary>The registry's public URL in the database: the API knows it, and the workers write it into <c>config.json</c>.</summary>
public static class RegistryAddress
{
    /// <summary>Notes it.</summary>
    /// <param name="sql">The statements.</param>
    /// <param name="url">The URL.</param>
    /// <param name="isKnown">Whether it is surely the registry's. One that a process of several made up from its port gives way to any that is there.</param>
    public static ValueTask<int> NoteAsync(Statements sql, string url, bool isKnown)
    {
        ArgumentNullException.ThrowIfNull(sql);
        return sql.ExecuteAsync("UPDATE registry SET public_url = $1 WHERE public_url IS NULL OR ($2 AND public_url <> $1)", url, isKnown);
    }

    /// <summary>Reads it; null: no API process has been started yet.</summary>
    public static ValueTask<string?> ReadAsync(Statements sql)
    {
        ArgumentNullException.ThrowIfNull(sql);
        return sql.TextAsync("SELECT public_url FROM registry WHERE id = 1");
    }
}
