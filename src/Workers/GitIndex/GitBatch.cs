using Pipeline.Contracts.Index;
using Pipeline.Registry.Git;

namespace Pipeline.Workers.GitIndex;

/// <summary>Decides what a batch commits: values in, decision out.</summary>
public static class GitBatch
{
    /// <summary>A crate's commit.</summary>
    public sealed record Planned(LaggingCrate Crate, IndexCommit Commit);

    /// <summary>A batch's decision.</summary>
    /// <param name="Commits">One commit per crate that differs, in the order of the rows.</param>
    /// <param name="Equal">The crates whose files are already as they should be.</param>
    public sealed record Decision(IReadOnlyList<Planned> Commits, IReadOnlyList<LaggingCrate> Equal);

    /// <summary>Every path whose blob id at the tip the decision needs, each once.</summary>
    public static IReadOnlyList<string> Paths(IReadOnlyList<LaggingCrate> rows)
    {
        ArgumentNullException.ThrowIfNull(rows);
        var paths = new HashSet<string>(rows.Count, StringComparer.Ordinal);
        foreach (var row in rows)
        {
            if (row.Path is not null) paths.Add(row.Path);
            paths.UnionWith(row.FormerPaths);
        }

        return [.. paths];
    }

    /// <summary>
    /// Compares each crate's file with the tip's, and words its commit as followers of crates.io's index know it (crates-io-behaviour §4.2).
    /// A crate that came back under another spelling takes its old file away in the same commit; but never a file that another row of the
    /// batch renders.
    /// </summary>
    /// <param name="rows">The crates in change order.</param>
    /// <param name="tip">The blob id at the tip per path; no entry: no file.</param>
    public static Decision Plan(IReadOnlyList<LaggingCrate> rows, IReadOnlyDictionary<string, string> tip)
    {
        ArgumentNullException.ThrowIfNull(rows);
        ArgumentNullException.ThrowIfNull(tip);
        var owned = new HashSet<string>(rows.Count, StringComparer.Ordinal);
        foreach (var row in rows)
        {
            if (row is { Content: not null, Path: not null }) owned.Add(row.Path);
        }

        var commits = new List<Planned>(rows.Count);
        var equal = new List<LaggingCrate>();
        foreach (var row in rows)
        {
            if (Commit(row, tip, owned) is { } commit) commits.Add(new Planned(row, commit));
            else equal.Add(row);
        }

        return new Decision(commits, equal);
    }

    /// <summary>
    /// The commits as they are written: one for all that an upstream brought in a row; of local crates one each, or, where more than a few
    /// wait, one for all that stand in a row.
    /// </summary>
    /// <param name="planned">The crates' own commits, in order.</param>
    /// <param name="mostAlone">Up to so many local crates have commits of their own.</param>
    public static IReadOnlyList<IndexCommit> Commits(IReadOnlyList<Planned> planned, int mostAlone)
    {
        ArgumentNullException.ThrowIfNull(planned);
        var alone = planned.Count(static one => one.Crate.Upstream is null) <= mostAlone;
        var commits = new List<IndexCommit>(planned.Count);
        for (var i = 0; i < planned.Count;)
        {
            var (end, upstream) = (i + 1, planned[i].Crate.Upstream);
            while ((upstream is not null || !alone) && end < planned.Count && planned[end].Crate.Upstream == upstream) end++;
            commits.Add(end == i + 1 ? planned[i].Commit : Together(planned, i, end));
            i = end;
        }

        return commits;
    }

    private static IndexCommit Together(IReadOnlyList<Planned> planned, int start, int end)
    {
        var (upserts, deletes, messages) = (new List<IndexUpsert>(), new List<string>(), new List<string>());
        for (var i = start; i < end; i++)
        {
            upserts.AddRange(planned[i].Commit.Upserts);
            deletes.AddRange(planned[i].Commit.Deletes);
            messages.Add(planned[i].Commit.Message);
        }

        var message = planned[start].Crate.Upstream is { } upstream ? CommitMessage.ForSync(upstream, end - start) : CommitMessage.ForBatch(messages);
        return new IndexCommit(message, upserts, deletes);
    }

    private static IndexCommit? Commit(LaggingCrate row, IReadOnlyDictionary<string, string> tip, HashSet<string> owned)
    {
        if (row.Path is null) return null;
        var atTip = tip.GetValueOrDefault(row.Path);
        List<string> deletes = [];
        foreach (var former in row.FormerPaths)
        {
            if (former != row.Path && tip.ContainsKey(former) && !owned.Contains(former) && !deletes.Contains(former)) deletes.Add(former);
        }

        if (row.Content is not { } content)
        {
            if (atTip is not null && !owned.Contains(row.Path)) deletes.Insert(0, row.Path);
            return deletes.Count == 0 ? null : new IndexCommit(CommitMessage.For(row.Name, IndexChange.Deleted), [], deletes);
        }

        var differs = atTip is null || atTip != GitBlobId.Of(content);
        if (!differs && deletes.Count == 0) return null;
        var change = atTip is null ? IndexChange.Created : IndexChange.Updated;
        return new IndexCommit(CommitMessage.For(row.Name, change), differs ? [new IndexUpsert(row.Path, content)] : [], deletes);
    }
}
