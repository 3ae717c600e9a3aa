using Pipeline.Contracts;
using Pipeline.Registry.Database;

namespace Pipeline.Api.Crates;

/// <summary>Crate objects by name, for lists of them: those that were shown lately are remembered.</summary>
public sealed class ShownCrates
{
    private const long Capacity = 16L * 1024 * 1024;

    private readonly IDatabase _database;
    private readonly CrateChanges _changes;
    private readonly CrateMemory<CrateObject> _memory;

    /// <summary>An empty one.</summary>
    public ShownCrates(IDatabase database, CrateChanges changes) =>
        (_database, _changes, _memory) = (database, changes, new CrateMemory<CrateObject>(changes, Capacity));

    /// <summary>The crates that are served under some names, by canonical name. One that is not served is not among them.</summary>
    public async ValueTask<Dictionary<string, CrateObject>> FindAsync(IReadOnlyList<string> canonicals, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(canonicals);
        await _changes.CatchUpAsync(cancellationToken).ConfigureAwait(false);
        var seen = _changes.Seen;
        var found = new Dictionary<string, CrateObject>(canonicals.Count, StringComparer.Ordinal);
        var missing = new List<string>();
        foreach (var canonical in canonicals)
        {
            if (_memory.TryGet(canonical, out var crate)) found[canonical] = crate;
            else missing.Add(canonical);
        }

        if (missing.Count == 0) return found;
        foreach (var crate in await _database.ReadAsync(sql => ReadAsync(sql, missing), cancellationToken).ConfigureAwait(false))
        {
            var canonical = CanonicalName.Of(crate.Name).Text;
            found[canonical] = crate;
            _memory.Keep(seen, canonical, canonical, crate, CostOf(crate));
        }

        return found;
    }

    private static ValueTask<List<CrateObject>> ReadAsync(Statements sql, List<string> canonicals) => sql.QueryAsync(
        $"SELECT {CrateViews.Columns} FROM crates c WHERE c.namespace = '' AND c.served AND c.state = 'active' AND c.canonical IN {sql.Dialect.TextList("$1")}",
        CrateViews.Read, JsonTexts.Write(canonicals));

    private static int CostOf(CrateObject crate)
    {
        var texts = crate.Name.Length + crate.Keywords.Length + crate.Categories.Length + (crate.Description?.Length ?? 0) + (crate.Homepage?.Length ?? 0)
            + (crate.Documentation?.Length ?? 0) + (crate.Repository?.Length ?? 0);
        return (texts * sizeof(char)) + 500;
    }
}
