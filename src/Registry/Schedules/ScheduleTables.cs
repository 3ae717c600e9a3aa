using Pipeline.Registry.Database;
using Quartz;

namespace Pipeline.Registry.Schedules;

/// <summary>
/// The scheduler's own tables in PostgreSQL, made by <c>pipeline migrate</c> from the description that the scheduler's package carries: it
/// makes what is missing and drops nothing, so it may run again and again. SQLite has none: alone, the scheduler keeps its state in memory.
/// </summary>
public static class ScheduleTables
{
    private const string Prefix = "qrtz_";
    private const string Description = "Quartz.Impl.AdoJobStore.Schema.create_postgres.sql";

    /// <summary>Makes what is missing.</summary>
    public static async ValueTask EnsureAsync(IDatabase database, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(database);
        if (database.Dialect != Dialect.Postgres) return;
        using var reader = new StreamReader(typeof(IJob).Assembly.GetManifestResourceStream(Description) ?? throw new InvalidOperationException($"the scheduler's package has no {Description}"));
        var description = await reader.ReadToEndAsync(cancellationToken).ConfigureAwait(false);
        var statements = description.Replace("{0}", Prefix, StringComparison.Ordinal).Replace("{1}", Prefix, StringComparison.Ordinal).Split("\n--;;");
        await database.WriteAsync(
            async sql =>
            {
                await sql.ExecuteAsync("SELECT pg_advisory_xact_lock(7203442)").ConfigureAwait(false);
                // The first part is the description's preface.
                foreach (var statement in statements.Skip(1)) await sql.ExecuteAsync(statement).ConfigureAwait(false);
                return statements.Length;
            },
            cancellationToken).ConfigureAwait(false);
    }
}
