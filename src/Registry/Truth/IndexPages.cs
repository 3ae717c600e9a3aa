using System.Buffers;
using Pipeline.Contracts.Index;
using Pipeline.Registry.Database;

namespace Pipeline.Registry.Truth;

/// <summary>A crate's index file as the database has it.</summary>
/// <param name="CrateId">The crate's row.</param>
/// <param name="Name">Its stored spelling.</param>
/// <param name="Content">The file's bytes; null: the crate is deleted or has no version, there is no file.</param>
public sealed record TrueFile(long CrateId, string Name, byte[]? Content)
{
    /// <summary>Where the file lies in both indexes.</summary>
    public string Path => IndexPath.Of(Name);
}

/// <summary>The index files of all crates, page by page in the order of the crates' rows: each as of the moment its page was read.</summary>
public static class IndexPages
{
    // By the rows' ids: the empty text keeps SQLite from an index by namespace, through which it would read and sort all crates for each page.
    private const string LastSql = "SELECT MAX(id) FROM (SELECT id FROM crates WHERE id > $1 AND namespace || '' = '' AND served ORDER BY id LIMIT $2) AS page";

    private const string Sql =
        """
        SELECT c.id, c.name, v.entry_head, v.yanked, v.entry_tail, c.source <> 'local'
        FROM crates c LEFT JOIN versions v ON v.crate_id = c.id AND v.state = 'active' AND c.state = 'active'
        WHERE c.id > $1 AND c.id <= $2 AND c.namespace || '' = '' AND c.served
        ORDER BY c.id, v.published_at, v.id
        """;

    private const string UpstreamSql =
        "SELECT id, upstream_file FROM crates WHERE id > $1 AND id <= $2 AND namespace || '' = '' AND served AND state = 'active' AND upstream_file IS NOT NULL";

    /// <summary>How many crates there are, deleted ones included: what a walk through the pages meets.</summary>
    public static async ValueTask<long> CountAsync(Statements sql)
    {
        ArgumentNullException.ThrowIfNull(sql);
        return (await sql.LongAsync("SELECT COUNT(*) FROM crates WHERE namespace = '' AND served").ConfigureAwait(false))!.Value;
    }

    /// <summary>The files of the next crates behind a row.</summary>
    /// <param name="sql">The statements.</param>
    /// <param name="after">The row behind which the page begins.</param>
    /// <param name="most">How many crates it has at most.</param>
    /// <returns>The files in the order of the rows; none: there are no more crates.</returns>
    public static async ValueTask<List<TrueFile>> NextAsync(Statements sql, long after, int most)
    {
        ArgumentNullException.ThrowIfNull(sql);
        if (await sql.LongAsync(LastSql, after, (long)most).ConfigureAwait(false) is not { } last) return [];
        var page = new Page();
        await sql.QueryAsync(Sql, page.Take, after, last).ConfigureAwait(false);
        var files = page.End();
        if (!page.HasMirrored) return files;
        // What is mirrored is shown as the upstream has it.
        var mirrored = (await sql.QueryAsync(UpstreamSql, static row => (Id: row.Long(0), File: row.Bytes(1)), after, files[^1].CrateId).ConfigureAwait(false))
            .ToDictionary(static row => row.Id, static row => row.File);
        return files.ConvertAll(file => mirrored.TryGetValue(file.CrateId, out var bytes) ? file with { Content = bytes.Length == 0 ? null : bytes } : file);
    }

    private sealed class Page
    {
        private readonly List<TrueFile> _files = [];
        private readonly ArrayBufferWriter<byte> _bytes = new(1 << 16);
        private (long Id, string Name) _crate;

        public bool HasMirrored { get; private set; }

        public bool Take(Row row)
        {
            var id = row.Long(0);
            if (id != _crate.Id) Close();
            _crate = (id, row.Text(1));
            HasMirrored |= row.Bool(5);
            if (!row.IsNull(2)) IndexFile.WriteLine(_bytes, row.Text(2), row.Bool(3), row.Text(4));
            return true;
        }

        public List<TrueFile> End()
        {
            Close();
            return _files;
        }

        private void Close()
        {
            if (_crate.Id != 0) _files.Add(new TrueFile(_crate.Id, _crate.Name, _bytes.WrittenCount == 0 ? null : _bytes.WrittenSpan.ToArray()));
            _bytes.ResetWrittenCount();
        }
    }
}
