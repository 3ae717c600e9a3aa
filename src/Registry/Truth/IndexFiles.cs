using System.Globalization;
using System.Text;
using Pipeline.Contracts.Index;
using Pipeline.Registry.Database;

namespace Pipeline.Registry.Truth;

/// <summary>
/// Renders index files from the database for many crates at a time (crates-io-behaviour §3.7), and keeps large ones: to a kept file of which
/// nothing but publishes is known since, only the new lines are read and appended.
/// </summary>
public sealed class IndexFiles
{
    private const int SmallestKept = 8 * 1024;
    private const long MostKept = 32 << 20;

    private static readonly (string, string)[] Asked = [("id", "BIGINT"), ("served", "BIGINT"), ("last_change", "BIGINT"), ("published_at", "BIGINT")];

    private readonly Lock _gate = new();
    private readonly Dictionary<long, LinkedListNode<Kept>> _kept = [];
    private readonly LinkedList<Kept> _byUse = new();
    private long _bytes;

    /// <summary>Renders the index files of some crates, by crate. Those of no row are left out.</summary>
    public async ValueTask<Dictionary<long, IndexSnapshot>> ReadAsync(Statements sql, IReadOnlyCollection<long> crateIds)
    {
        ArgumentNullException.ThrowIfNull(sql);
        ArgumentNullException.ThrowIfNull(crateIds);
        var kept = crateIds.Select(Find).OfType<Kept>().ToDictionary(static file => file.CrateId);
        var found = await QueryAsync(sql, crateIds.Select(id => kept.GetValueOrDefault(id) ?? Kept.Nothing(id))).ConfigureAwait(false);
        // Something else than publishes happened to these, or another crate is served in their place: all their lines are read.
        var stale = found.Values.Where(file => kept.TryGetValue(file.CrateId, out var old) && !file.Continues(old)).Select(static file => file.CrateId).ToList();
        foreach (var id in stale) kept.Remove(id);
        if (stale.Count > 0)
        {
            foreach (var file in (await QueryAsync(sql, stale.Select(Kept.Nothing)).ConfigureAwait(false)).Values) found[file.CrateId] = file;
        }

        return found.Values.ToDictionary(static file => file.CrateId, file => Render(file, kept.GetValueOrDefault(file.CrateId)));
    }

    private IndexSnapshot Render(Found file, Kept? old)
    {
        // A mirrored crate's file is what its upstream has, byte for byte.
        if (file.UpstreamFile is not null) return new IndexSnapshot(file.Name, file.Revision, file.UpstreamFile);
        file.Lines.Sort(static (x, y) => x.PublishedAt != y.PublishedAt ? x.PublishedAt.CompareTo(y.PublishedAt) : x.Id.CompareTo(y.Id));
        byte[]? content = file.Lines.Count == 0 ? old?.Content : IndexFile.Render(file.Lines.Select(static line => (line.Head, line.Yanked, line.Tail)));
        if (old is not null && file.Lines.Count > 0) content = [.. old.Content, .. content!];
        if (content is { Length: >= SmallestKept }) Keep(new Kept(file.CrateId, file.ServedId, file.Revision, file.LastChange, file.Lines.Count > 0 ? file.Lines[^1].PublishedAt : old!.PublishedAt, content));
        return new IndexSnapshot(file.Name, file.Revision, content);
    }

    // Of a file that is not kept all is read: it is as if one without lines were kept. One statement, so that revision, changes and lines belong together.
    private static async ValueTask<Dictionary<long, Found>> QueryAsync(Statements sql, IEnumerable<Kept> known)
    {
        var text = new StringBuilder("[");
        foreach (var file in known) text.Append(CultureInfo.InvariantCulture, $"[{file.CrateId},{file.ServedId},{file.LastChange},{file.PublishedAt}],");
        text[^1] = ']';
        var found = new Dictionary<long, Found>();
        await sql.QueryAsync(
            $"""
            SELECT c.id, COALESCE(s.name, c.name), c.revision, COALESCE(s.id, 0), CASE WHEN s.state = 'active' THEN s.upstream_file END,
                COALESCE((SELECT MAX(h.id) FROM changes h WHERE h.crate_id = c.id), 0),
                CASE WHEN r.last_change > 0 THEN (SELECT COUNT(*) FROM changes h WHERE h.crate_id = c.id AND h.id > r.last_change AND h.kind = 'publish') ELSE 0 END,
                v.id, v.published_at, v.entry_head, v.yanked, v.entry_tail
            FROM {sql.Dialect.Rows("$1", Asked)} r JOIN crates c ON c.id = r.id LEFT JOIN crates s ON s.id = {IndexLines.ServedOf}
            LEFT JOIN versions v ON v.crate_id = s.id AND v.published_at > CASE WHEN s.id = r.served THEN r.published_at ELSE -1 END AND v.state = 'active' AND s.state = 'active'
            """,
            row =>
            {
                if (!found.TryGetValue(row.Long(0), out var file))
                {
                    file = new Found(row.Long(0), row.Text(1), row.Long(2), row.Long(3), row.BytesOrNull(4), row.Long(5), row.Long(6));
                    found.Add(file.CrateId, file);
                }

                if (!row.IsNull(7)) file.Lines.Add(new Line(row.Long(7), row.Long(8), row.Text(9), row.Bool(10), row.Text(11)));
                return true;
            },
            text.ToString()).ConfigureAwait(false);
        return found;
    }

    private Kept? Find(long crateId)
    {
        lock (_gate)
        {
            if (!_kept.TryGetValue(crateId, out var node)) return null;
            _byUse.Remove(node);
            _byUse.AddFirst(node);
            return node.Value;
        }
    }

    private void Keep(Kept file)
    {
        lock (_gate)
        {
            if (_kept.TryGetValue(file.CrateId, out var old))
            {
                // Another thread may have read later.
                if (old.Value.Revision > file.Revision) return;
                Remove(old);
            }

            _kept[file.CrateId] = _byUse.AddFirst(file);
            _bytes += file.Content.Length;
            while (_bytes > MostKept) Remove(_byUse.Last!);
        }
    }

    private void Remove(LinkedListNode<Kept> node)
    {
        _byUse.Remove(node);
        _kept.Remove(node.Value.CrateId);
        _bytes -= node.Value.Content.Length;
    }

    private sealed record Kept(long CrateId, long ServedId, long Revision, long LastChange, long PublishedAt, byte[] Content)
    {
        public static Kept Nothing(long crateId) => new(crateId, 0, 0, 0, -1, []);
    }

    private sealed record Found(long CrateId, string Name, long Revision, long ServedId, byte[]? UpstreamFile, long LastChange, long Publishes)
    {
        public List<Line> Lines { get; } = [];

        /// <summary>Whether all that happened since a file was kept is publishes of the same crate: every revision is one of them.</summary>
        public bool Continues(Kept old) => UpstreamFile is null && ServedId == old.ServedId && Revision - old.Revision == Publishes;
    }

    private readonly record struct Line(long Id, long PublishedAt, string Head, bool Yanked, string Tail);
}
