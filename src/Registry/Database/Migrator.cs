using System.Security.Cryptography;
using System.Text;

namespace Pipeline.Registry.Database;

/// <summary>
/// Applies the embedded migrations: plain SQL, one folder per engine, forward only, each in the transaction that records it
/// with its SHA-256. Several processes may start at once: the first one's lock makes the others wait and find nothing to do.
/// </summary>
public static class Migrator
{
    /// <summary>Applies what is missing and returns how many steps that were.</summary>
    /// <exception cref="InvalidOperationException">A step that was applied has another text now.</exception>
    public static ValueTask<int> MigrateAsync(IDatabase database, CancellationToken cancellationToken = default) =>
        database.WriteAsync(ApplyAsync, cancellationToken);

    /// <summary>The names of the steps the database lacks. Not empty: a process must not work on it.</summary>
    public static async ValueTask<IReadOnlyList<string>> MissingAsync(IDatabase database, CancellationToken cancellationToken = default)
    {
        var done = await database.WriteAsync(DoneAsync, cancellationToken).ConfigureAwait(false);
        return [.. Steps(database.Dialect).Select(step => step.Name).Where(name => !done.ContainsKey(name))];
    }

    private static async ValueTask<int> ApplyAsync(Statements sql)
    {
        if (sql.Dialect == Dialect.Postgres) await sql.ExecuteAsync("SELECT pg_advisory_xact_lock(7203441)").ConfigureAwait(false);
        var done = await DoneAsync(sql).ConfigureAwait(false);
        var applied = 0;
        foreach (var step in Steps(sql.Dialect))
        {
            if (done.TryGetValue(step.Name, out var sha256))
            {
                if (sha256 != step.Sha256) throw new InvalidOperationException($"migration {step.Name} was changed after it was applied");
                continue;
            }

            await sql.ExecuteAsync(step.Sql).ConfigureAwait(false);
            await sql.ExecuteAsync("INSERT INTO schema_migrations (name, sha256, applied_at) VALUES ($1, $2, now_us())", step.Name, step.Sha256).ConfigureAwait(false);
            applied++;
        }

        return applied;
    }

    private static async ValueTask<Dictionary<string, string>> DoneAsync(Statements sql)
    {
        await sql.ExecuteAsync("CREATE TABLE IF NOT EXISTS schema_migrations (name TEXT PRIMARY KEY, sha256 TEXT NOT NULL, applied_at BIGINT NOT NULL)").ConfigureAwait(false);
        var rows = await sql.QueryAsync("SELECT name, sha256 FROM schema_migrations", static row => (Name: row.Text(0), Sha256: row.Text(1))).ConfigureAwait(false);
        return rows.ToDictionary(row => row.Name, row => row.Sha256, StringComparer.Ordinal);
    }

    private static IEnumerable<Step> Steps(Dialect dialect)
    {
        var assembly = typeof(Migrator).Assembly;
        var folder = $"migrations/{dialect.Name}/";
        foreach (var resource in assembly.GetManifestResourceNames().Where(name => name.StartsWith(folder, StringComparison.Ordinal)).Order(StringComparer.Ordinal))
        {
            using var reader = new StreamReader(assembly.GetManifestResourceStream(resource)!, Encoding.UTF8);
            var sql = reader.ReadToEnd();
            yield return new Step(resource[folder.Length..], sql, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(sql))));
        }
    }

    private sealed record Step(string Name, string Sql, string Sha256);
}
