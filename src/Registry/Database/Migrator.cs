using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Pipeline.Registry.Database;

/// <summary>
/// Applies the embedded migrations: plain SQL, one folder per engine, forward only, each in the transaction that records it
/// with its SHA-256. Several processes may start at once: the first one's lock makes the others wait and find nothing to do.
/// A step's name begins with the number of the schema version it belongs to, <c>0002_address.sql</c>.
/// </summary>
public static class Migrator
{
    private const int NumberLength = 4;

    /// <summary>Applies what is missing and returns the names of those steps.</summary>
    /// <exception cref="InvalidOperationException">A step that was applied has another text now, or the database is too new for this program.</exception>
    public static ValueTask<IReadOnlyList<string>> MigrateAsync(IDatabase database, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(database);
        return database.WriteAsync(ApplyAsync, cancellationToken);
    }

    /// <summary>
    /// Why a process must not work on the database as it is, in one sentence; null: it may. A database one schema version ahead will do:
    /// versions only add until every process has them (expand, then contract), so that processes one version apart run together.
    /// Only reads, and needs no right but to read.
    /// </summary>
    public static async ValueTask<string?> RefusalAsync(IDatabase database, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(database);
        var done = await database.ReadAsync(DoneAsync, cancellationToken).ConfigureAwait(false);
        var steps = Steps(database.Dialect).Select(static step => step.Name).ToList();
        var missing = steps.Where(name => !done.ContainsKey(name)).ToList();
        return missing.Count > 0 ? $"the database lacks {string.Join(", ", missing)}: run `pipeline migrate` first" : TooNew(done.Keys, steps);
    }

    private static async ValueTask<IReadOnlyList<string>> ApplyAsync(Statements sql)
    {
        if (sql.Dialect == Dialect.Postgres) await sql.ExecuteAsync("SELECT pg_advisory_xact_lock(7203441)").ConfigureAwait(false);
        await sql.ExecuteAsync("CREATE TABLE IF NOT EXISTS schema_migrations (name TEXT PRIMARY KEY, sha256 TEXT NOT NULL, applied_at BIGINT NOT NULL)").ConfigureAwait(false);
        var done = await DoneAsync(sql).ConfigureAwait(false);
        var steps = Steps(sql.Dialect).ToList();
        if (TooNew(done.Keys, steps.ConvertAll(static step => step.Name)) is { } refusal) throw new InvalidOperationException(refusal);
        var applied = new List<string>();
        foreach (var step in steps)
        {
            if (done.TryGetValue(step.Name, out var sha256))
            {
                if (sha256 != step.Sha256) throw new InvalidOperationException($"migration {step.Name} was changed after it was applied");
                continue;
            }

            await sql.ExecuteAsync(step.Sql).ConfigureAwait(false);
            await sql.ExecuteAsync("INSERT INTO schema_migrations (name, sha256, applied_at) VALUES ($1, $2, now_us())", step.Name, step.Sha256).ConfigureAwait(false);
            applied.Add(step.Name);
        }

        return applied;
    }

    private static async ValueTask<Dictionary<string, string>> DoneAsync(Statements sql)
    {
        if (await sql.LongAsync(sql.Dialect.TableExists, "schema_migrations").ConfigureAwait(false) is null) return new Dictionary<string, string>(StringComparer.Ordinal);
        var rows = await sql.QueryAsync("SELECT name, sha256 FROM schema_migrations", static row => (Name: row.Text(0), Sha256: row.Text(1))).ConfigureAwait(false);
        return rows.ToDictionary(row => row.Name, row => row.Sha256, StringComparer.Ordinal);
    }

    private static string? TooNew(IEnumerable<string> done, IReadOnlyList<string> steps)
    {
        var known = steps.Max(Number);
        var newest = done.Except(steps, StringComparer.Ordinal).OrderByDescending(Number).FirstOrDefault();
        return newest is not null && Number(newest) > known + 1
            ? $"the database has {newest} and this program knows {known:0000} at most: run a newer one, one schema version apart at most"
            : null;
    }

    private static int Number(string name) => int.Parse(name.AsSpan(0, NumberLength), NumberStyles.None, CultureInfo.InvariantCulture);

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
