using System.ComponentModel.DataAnnotations;
using Npgsql;
using Pipeline.Contracts;

namespace Pipeline.Registry.Database;

/// <summary>Which database holds the truth. Section <c>Database</c>.</summary>
public sealed record DatabaseOptions
{
    /// <summary>The connection string of PostgreSQL 15 or newer, as Npgsql reads it; null: SQLite in the data folder.</summary>
    public Secret? Postgres { get; init; }

    /// <summary>The most connections of this process to PostgreSQL; further work waits for one of them.</summary>
    [Range(1, 1000)]
    public int MaxConnections { get; init; } = 16;

    /// <summary>How long PostgreSQL may take to accept a connection, and how long work waits for a free one.</summary>
    [Range(1, 3600)]
    public int ConnectSeconds { get; init; } = 10;

    /// <summary>How long one statement may take on PostgreSQL before it is given up and tried later. Migrations have no limit.</summary>
    [Range(0, 86400)]
    public int CommandSeconds { get; init; } = 30;

    /// <summary>The connection string, taken apart.</summary>
    /// <exception cref="InvalidOperationException">It is not set, or none; the text does not repeat it, since it holds a password.</exception>
    public NpgsqlConnectionStringBuilder ReadPostgres()
    {
        if (Postgres is null) throw new InvalidOperationException("Database:Postgres is not set");
        try
        {
            return new NpgsqlConnectionStringBuilder(Postgres.Reveal());
        }
        catch (Exception e) when (e is ArgumentException or FormatException or InvalidCastException or KeyNotFoundException or NotSupportedException)
        {
            // Npgsql's text repeats a word of it, which may be of the password: neither text nor cause go on.
            throw new InvalidOperationException("Database:Postgres cannot be read as a connection string, such as `Host=db;Username=pipeline;Password=…;Database=pipeline`");
        }
    }
}
