using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Pipeline.Contracts;
using Pipeline.Registry.Database;
using Pipeline.Registry.Truth;

namespace Pipeline.Workers.GitIndex;

/// <summary>Reads which crates the git index lags behind on, and what their files are to be.</summary>
/// <param name="database">The truth.</param>
/// <param name="maxBytes">The most a page's files hold together; a single larger file is a page of its own.</param>
public sealed class LaggingCrates(IDatabase database, long maxBytes = LaggingCrates.MaxPageBytes)
{
    /// <summary>The most crates a page names.</summary>
    public const int MaxPage = 1000;

    /// <summary>The bound on a page's files, in bytes.</summary>
    public const long MaxPageBytes = 32 << 20;

    // One statement reads this many crates with their lines.
    private const int Chunk = 64;

    private static readonly HashSet<long> NoIds = [];

    private const string PageSql =
        """
        SELECT crate_id, wanted, path, attempts, first_change FROM projections
        WHERE kind = 'git' AND target = '' AND reached < wanted AND (next_try_at IS NULL OR next_try_at <= now_us())
            AND first_change >= $1 AND (first_change > $1 OR crate_id > $2)
        ORDER BY first_change, crate_id LIMIT $3
        """;

    // A crate's revision, its lines, and the changes since it last was up to date, all of one moment. Names of changes make up for a crash
    // between a commit and the note of it: what was committed then lies where the name of a change not yet noted says. The time of
    // publication is read from an index (i): in the row it stands behind the readme.
    private const string CratesSql =
        $"""
        SELECT 0, c.id, c.revision, (SELECT MAX(h.id) FROM changes h WHERE h.crate_id = c.id), COALESCE(s.name, c.name), c.namespace, COALESCE(s.source, c.source),
            COALESCE(s.state = 'active', FALSE), s.upstream_file
        FROM ids JOIN crates c ON c.id = CAST(ids.id AS BIGINT) LEFT JOIN crates s ON s.id = {IndexLines.ServedOf}
        UNION ALL
        SELECT 1, c.id, i.published_at, i.id, v.entry_head, v.entry_tail, NULL, v.yanked, NULL
        FROM ids JOIN crates c ON c.id = CAST(ids.id AS BIGINT) JOIN versions i ON i.crate_id = {IndexLines.ServedOf} JOIN versions v ON v.id = i.id WHERE v.state = 'active'
        UNION ALL
        SELECT 2, c.id, h.accepted_at, h.id, h.name, h.trace_parent, NULL, FALSE, NULL
        FROM ids JOIN crates c ON c.id = CAST(ids.id AS BIGINT)
        JOIN projections p ON p.crate_id = c.id AND p.kind = 'git' AND p.target = ''
        JOIN changes h ON h.crate_id = c.id AND h.id >= p.first_change
        """;

    // Those of some names that are behind and due.
    private const string NamedSql =
        """
        SELECT p.crate_id, p.wanted, p.path, p.attempts, p.first_change FROM crates c
        JOIN projections p ON p.crate_id = COALESCE(c.place_id, c.id) AND p.kind = 'git' AND p.target = '' AND p.reached < p.wanted
            AND (p.next_try_at IS NULL OR p.next_try_at <= now_us())
        WHERE c.namespace = '' AND c.served AND c.canonical IN
        """;

    private readonly string _namedSql = $"{NamedSql} {database.Dialect.TextList("$1")}";
    private readonly string _cratesSql = $"WITH ids (id) AS {database.Dialect.TextList("$1")}\n{CratesSql}";

    /// <summary>A page in change order.</summary>
    /// <param name="Crates">What to bring into the index.</param>
    /// <param name="Bad">The crates whose rows cannot be rendered, and why.</param>
    /// <param name="End">Where the page ends; null when it holds all there was.</param>
    public sealed record Page(IReadOnlyList<LaggingCrate> Crates, IReadOnlyList<SetAside> Bad, Position? End)
    {
        /// <summary>The ids of the crates at the end of <see cref="Crates"/> that stand behind <see cref="End"/>, and are here because others need them.</summary>
        public IReadOnlySet<long> Ahead { get; init; } = NoIds;

        /// <summary>Whether nothing lags that is due.</summary>
        public bool IsEmpty => Crates.Count == 0 && Bad.Count == 0;
    }

    /// <summary>A place in the change order.</summary>
    public readonly record struct Position(long FirstChange, long CrateId)
    {
        /// <summary>Before everything.</summary>
        public static readonly Position Start = new(long.MinValue, long.MinValue);
    }

    /// <summary>Whether any crate lags and is due.</summary>
    public async ValueTask<bool> AnyAsync(CancellationToken cancellationToken) => (await ListAsync(Position.Start, 1, cancellationToken).ConfigureAwait(false)).Count > 0;

    /// <summary>The same, where no page before it is at work.</summary>
    public ValueTask<Page> NextAsync(Position after, CancellationToken cancellationToken) => NextAsync(after, NoIds, cancellationToken);

    /// <summary>Reads the next page behind a position: as many crates as fit, none overtaken by a later one that it does not need.</summary>
    /// <param name="after">The position.</param>
    /// <param name="without">The ids of crates that another page has taken ahead.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public async ValueTask<Page> NextAsync(Position after, IReadOnlySet<long> without, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(without);
        var rows = await ListAsync(after, MaxPage, cancellationToken).ConfigureAwait(false);
        Position? end = rows.Count == MaxPage ? new Position(rows[^1].FirstChange, rows[^1].CrateId) : null;
        rows.RemoveAll(row => without.Contains(row.CrateId));
        var crates = new List<LaggingCrate>(rows.Count);
        var bad = new List<SetAside>();
        var budget = new CrateRecord.Budget(maxBytes);
        var isCut = false;
        for (var start = 0; start < rows.Count && !isCut; start += Chunk)
        {
            var chunk = rows.GetRange(start, Math.Min(Chunk, rows.Count - start));
            var records = await ReadAsync(chunk, budget, cancellationToken).ConfigureAwait(false);
            foreach (var row in chunk)
            {
                if (records[row.CrateId].IsCut)
                {
                    (end, isCut) = (after, true);
                    break;
                }

                Render(row, records[row.CrateId], crates, bad);
                after = new Position(row.FirstChange, row.CrateId);
            }
        }

        var seen = crates.Select(static crate => crate.CrateId).Concat(bad.Select(static crate => crate.CrateId)).Concat(without).ToHashSet();
        var ahead = await TakeAheadAsync(crates, bad, seen, cancellationToken).ConfigureAwait(false);
        return new Page(crates, bad, end) { Ahead = ahead };
    }

    /// <summary>
    /// Takes along what the page's crates need and that lags too, though it stands behind the page's end, or was made after the page was listed:
    /// no commit may name what no earlier one has. What cannot be had (it is put off, or too large) is gone without.
    /// </summary>
    private async ValueTask<IReadOnlySet<long>> TakeAheadAsync(List<LaggingCrate> crates, List<SetAside> bad, HashSet<long> seen, CancellationToken cancellationToken)
    {
        var budget = new CrateRecord.Budget(maxBytes);
        var looked = crates.Where(CommitOrder.MayNeedLater).ToList();
        if (looked.Count == 0) return NoIds;
        var (ahead, asked) = (new HashSet<long>(), crates.Select(static crate => CanonicalName.Of(crate.Name).Text).ToHashSet(StringComparer.Ordinal));
        while (looked.Count > 0)
        {
            var names = looked.SelectMany(CommitOrder.NeedsOf).Where(asked.Add).ToList();
            looked = [];
            foreach (var some in names.Chunk(Chunk))
            {
                var rows = await NamedAsync(some, cancellationToken).ConfigureAwait(false);
                rows.RemoveAll(row => !seen.Add(row.CrateId));
                if (rows.Count == 0) continue;
                var records = await ReadAsync(rows, budget, cancellationToken).ConfigureAwait(false);
                foreach (var row in rows.Where(row => !records[row.CrateId].IsCut))
                {
                    var before = crates.Count;
                    Render(row, records[row.CrateId], crates, bad);
                    ahead.Add(row.CrateId);
                    if (crates.Count > before) looked.Add(crates[^1]);
                }
            }
        }

        return ahead;
    }

    private ValueTask<List<CrateRecord.Lag>> NamedAsync(string[] names, CancellationToken cancellationToken)
    {
        var list = new JsonArray();
        foreach (var name in names) list.Add(name);
        return database.ReadAsync(
            sql => sql.QueryAsync(
                _namedSql,
                static row => new CrateRecord.Lag(row.Long(0), row.Long(1), row.TextOrNull(2), row.Long(3), row.Long(4)),
                list.ToJsonString()),
            cancellationToken);
    }

    private static void Render(CrateRecord.Lag row, CrateRecord record, List<LaggingCrate> crates, List<SetAside> bad)
    {
        try
        {
            crates.Add(record.Render(row));
        }
        catch (Exception e) when (e is ArgumentException or InvalidDataException)
        {
            bad.Add(new SetAside(row.CrateId, e));
        }
    }

    private ValueTask<List<CrateRecord.Lag>> ListAsync(Position after, int limit, CancellationToken cancellationToken) => database.ReadAsync(
        sql => sql.QueryAsync(
            PageSql,
            static row => new CrateRecord.Lag(row.Long(0), row.Long(1), row.TextOrNull(2), row.Long(3), row.Long(4)),
            after.FirstChange, after.CrateId, (long)limit),
        cancellationToken);

    private async ValueTask<Dictionary<long, CrateRecord>> ReadAsync(List<CrateRecord.Lag> chunk, CrateRecord.Budget budget, CancellationToken cancellationToken)
    {
        var ids = new StringBuilder("[");
        foreach (var row in chunk) ids.Append(CultureInfo.InvariantCulture, $"{row.CrateId},");
        ids[^1] = ']';
        budget.AlwaysWhole ??= chunk[0].CrateId;

        var records = chunk.ToDictionary(row => row.CrateId, row => new CrateRecord(row.CrateId, budget));
        await database.ReadAsync(sql => sql.QueryAsync(_cratesSql, row => records[row.Long(1)].Take(row), ids.ToString()), cancellationToken).ConfigureAwait(false);
        return records;
    }
}
