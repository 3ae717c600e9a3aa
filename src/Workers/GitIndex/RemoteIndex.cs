using Pipeline.Registry.Database;
using Pipeline.Registry.Failures;
using Pipeline.Registry.Faults;
using Pipeline.Registry.Git;
using Pipeline.Registry.Options;
using Pipeline.Registry.Truth;

namespace Pipeline.Workers.GitIndex;

/// <summary>
/// Keeps clone, remote and database in step. The remote decides what stands in the index: the clone is brought to it, never the other way
/// round, and what others changed there is built upon. The database decides what index files hold: those that others changed are behind again.
/// </summary>
/// <param name="database">Remembers which commit the projections' rows speak of.</param>
/// <param name="registry">What <c>config.json</c> says of the registry, for a remote that has none.</param>
/// <param name="lease">The git writer's.</param>
public sealed class RemoteIndex(IDatabase database, RegistryOptions registry, Lease lease)
{
    private const int Chunk = 500;

    // Behind from its first change on: all names that the crate ever had are looked at, whatever stands in the index.
    private const string ForgetSql =
        """
        UPDATE projections SET reached = 0, next_try_at = NULL, behind_since = COALESCE(behind_since, now_us()),
            first_change = COALESCE((SELECT MIN(h.id) FROM changes h WHERE h.crate_id = projections.crate_id), first_change)
        WHERE kind = 'git' AND target = '' AND reached > 0 AND crate_id IN
        """;

    private readonly string _forgetSomeSql = $"{ForgetSql} (SELECT COALESCE(place_id, id) FROM crates WHERE namespace = '' AND served AND canonical IN {database.Dialect.TextList("$1")})";

    private long _inStepUnder;
    private bool _hasConfig;

    /// <summary>Whether there is something to do at the remote though no crate lags: it was not yet asked, what became of a push is not known, or it lacks <c>config.json</c>.</summary>
    public bool MustAsk => !IsInStep || !_hasConfig;

    private bool IsInStep => _inStepUnder != 0 && _inStepUnder == lease.Fence;

    /// <summary>Brings the clone to the remote, finds out what others changed there, and sees to it that there is a <c>config.json</c>.</summary>
    /// <returns>False: the lease is lost.</returns>
    /// <exception cref="TransientException">The remote is away or refuses us, or the database is away.</exception>
    public async Task<bool> CatchUpAsync(IndexSession session, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(session);
        if (!IsInStep)
        {
            _hasConfig = false;
            var tip = await AdoptAsync(session, cancellationToken).ConfigureAwait(false);
            FaultPoints.Reach("git.adopted");
            if (!await CompareAsync(session.Remote!, tip, cancellationToken).ConfigureAwait(false)) return false;
            _inStepUnder = lease.Fence;
        }

        return _hasConfig || await EnsureConfigAsync(session, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The remote is asked again before anything is written: others may have changed it since, which a push alone would show.</summary>
    public void Doubt() => _inStepUnder = 0;

    /// <summary>Pushes what was committed on top of the remote's tip; the branch follows once that is confirmed.</summary>
    /// <returns>False: the remote has moved, nothing of it was kept; catch up and decide anew.</returns>
    /// <exception cref="TransientException">The remote is away, or refuses us or the commits.</exception>
    public async Task<bool> PushAsync(IndexSession session, string? from, string to, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(session);
        var under = _inStepUnder;
        _inStepUnder = 0;
        if (!await session.Remote!.PushAsync(from, to, cancellationToken).ConfigureAwait(false)) return false;
        FaultPoints.Reach("git.pushed");
        await session.Remote.AdoptAsync(from, to, cancellationToken).ConfigureAwait(false);
        _inStepUnder = under;
        return true;
    }

    /// <summary>Pushes a commit without history in place of the remote's tip, and the branch that keeps the history. The branch here is the caller's to move.</summary>
    /// <returns>False: the remote has moved, nothing was changed there; catch up and decide anew.</returns>
    /// <exception cref="TransientException">The remote is away, or refuses us or the commits.</exception>
    public async Task<bool> PushSquashAsync(IndexSession session, string from, string to, string snapshot, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(session);
        var under = _inStepUnder;
        // Until the branch here has moved too, what stands at the remote is not what stands here.
        _inStepUnder = 0;
        if (!await session.Remote!.PushSquashAsync(from, to, snapshot, cancellationToken).ConfigureAwait(false)) return false;
        FaultPoints.Reach("squash.pushed");
        await session.MoveAsync(from, to, snapshot, cancellationToken).ConfigureAwait(false);
        _inStepUnder = under;
        return true;
    }

    /// <summary>Notes, in the transaction that notes what it shows, the commit that the remote has confirmed.</summary>
    public static ValueTask<int> NoteAsync(Statements sql, string? tip)
    {
        ArgumentNullException.ThrowIfNull(sql);
        return sql.ExecuteAsync("UPDATE git_index SET tip = $1 WHERE target = ''", tip);
    }

    private static async Task<string?> AdoptAsync(IndexSession session, CancellationToken cancellationToken)
    {
        var remote = session.Remote!;
        var (ours, _) = await session.LookUpAsync([], cancellationToken).ConfigureAwait(false);
        var theirs = await remote.TipAsync(cancellationToken).ConfigureAwait(false);
        if (theirs == ours) return ours;
        if (theirs is null)
        {
            // A new remote, or one that lost its branch: it gets all that was ever confirmed, history included.
            return await remote.PushAsync(null, ours!, cancellationToken).ConfigureAwait(false) ? ours : throw Restless();
        }

        theirs = await remote.FetchAsync(cancellationToken).ConfigureAwait(false);
        await remote.AdoptAsync(ours, theirs, cancellationToken).ConfigureAwait(false);
        return theirs;
    }

    /// <summary>The remote is changed by others all the time.</summary>
    internal static TransientException Restless() => new("git-remote-moving", "the git remote was changed by others each time before our commits arrived");

    private async Task<bool> CompareAsync(RemoteSession remote, string? tip, CancellationToken cancellationToken)
    {
        var known = await database.ReadAsync(static sql => sql.TextAsync("SELECT tip FROM git_index WHERE target = ''"), cancellationToken).ConfigureAwait(false);
        if (known is not null && known == tip) return await lease.RenewAsync(cancellationToken).ConfigureAwait(false);
        var comparable = known is not null && tip is not null && await remote.HasAsync(known, cancellationToken).ConfigureAwait(false);
        if (!comparable) await ForgetAllAsync(cancellationToken).ConfigureAwait(false);
        else
        {
            var changed = await remote.ChangedAsync(known!, tip!, cancellationToken).ConfigureAwait(false);
            foreach (var paths in changed.Chunk(Chunk)) await ForgetAsync(paths, cancellationToken).ConfigureAwait(false);
        }

        return await database.WriteAsync(
            async sql => await lease.KeepAsync(sql).ConfigureAwait(false) && await NoteAsync(sql, tip).ConfigureAwait(false) == 1, cancellationToken).ConfigureAwait(false);
    }

    private async Task ForgetAsync(string[] paths, CancellationToken cancellationToken)
    {
        var names = new System.Text.Json.Nodes.JsonArray();
        foreach (var path in paths) names.Add(path[(path.LastIndexOf('/') + 1)..].Replace('-', '_'));
        var list = names.ToJsonString();
        await database.WriteAsync(sql => sql.ExecuteAsync(_forgetSomeSql, list), cancellationToken).ConfigureAwait(false);
    }

    // In pages, so that publishes need not wait for a statement over all crates.
    private async Task ForgetAllAsync(CancellationToken cancellationToken)
    {
        var after = 0L;
        while (true)
        {
            var page = await database.ReadAsync(
                sql => sql.FirstAsync(
                    """
                    SELECT COUNT(*), MAX(crate_id) FROM
                        (SELECT crate_id FROM projections WHERE kind = 'git' AND target = '' AND reached > 0 AND crate_id > $1 ORDER BY crate_id LIMIT $2) AS page
                    """,
                    static row => (Count: row.Long(0), Last: row.LongOrNull(1)), after, (long)Chunk),
                cancellationToken).ConfigureAwait(false);
            if (page.Last is not { } last) return;
            await database.WriteAsync(
                sql => sql.ExecuteAsync($"{ForgetSql} (SELECT id FROM crates WHERE id > $1 AND id <= $2)", after, last), cancellationToken).ConfigureAwait(false);
            after = last;
        }
    }

    private async Task<bool> EnsureConfigAsync(IndexSession session, CancellationToken cancellationToken)
    {
        var (tip, ids) = await session.LookUpAsync([IndexRepository.ConfigPath], cancellationToken).ConfigureAwait(false);
        if (ids[0] is not null) return _hasConfig = true;
        // Until an API process has said where it serves, there is nothing true to write.
        if (await database.ReadAsync(RegistryAddress.ReadAsync, cancellationToken).ConfigureAwait(false) is not { } url) return true;
        var config = IndexConfig.Render(registry with { PublicUrl = url });
        var first = new IndexCommit("Add config.json", [new IndexUpsert(IndexRepository.ConfigPath, config)], []);
        var next = await session.CommitAsync(tip, [first], cancellationToken).ConfigureAwait(false);
        if (!await PushAsync(session, tip, next, cancellationToken).ConfigureAwait(false)) throw Restless();
        _hasConfig = true;
        return await database.WriteAsync(
            async sql => await lease.KeepAsync(sql).ConfigureAwait(false) && await NoteAsync(sql, next).ConfigureAwait(false) == 1, cancellationToken).ConfigureAwait(false);
    }
}
