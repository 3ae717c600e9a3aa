using Microsoft.Extensions.Logging;
using Pipeline.Registry.Changes;
using Pipeline.Registry.Database;
using Pipeline.Registry.Failures;

namespace Pipeline.Api.Crates;

/// <summary>Something that remembers what the truth says of crates.</summary>
internal interface ICrateMemory
{
    /// <summary>Forgets a crate.</summary>
    void Forget(string canonical);

    /// <summary>Forgets all of them.</summary>
    void ForgetAll();
}

/// <summary>
/// Makes who remembers crates forget those that have changed, so that reads need not ask the database each time. Whatever changes what is shown of a
/// crate (a deletion, a yank, a name that passes to another source) stands in the change feed in the same transaction. The feed is looked at
/// before a memory is used, whenever this process has committed anything since the last look, and once a second for the sake of others: what
/// was answered here is seen by the next read here, and elsewhere a second later. That is soon enough for deletions, since the bytes go last of all (design,
/// law 5), and what replaces them is told by the file's identity.
/// </summary>
public sealed class CrateChanges(IDatabase database, TimeProvider clock, ILogger<CrateChanges> logger) : IDisposable
{
    private const int MostNamed = 1000;

    private static readonly TimeSpan Trusted = TimeSpan.FromSeconds(1);

    private readonly SemaphoreSlim _gate = new(1);
    private readonly List<ICrateMemory> _memories = [];
    private long _commits = -1;
    private long _lookedAt;
    private long _position = -1;
    private long _seen;

    /// <summary>How many looks found changes. Who is about to ask the database notes it; what it then learns may be kept only if no look has found any meanwhile.</summary>
    internal long Seen => Volatile.Read(ref _seen);

    private bool IsFresh => database.Commits == Volatile.Read(ref _commits) && clock.GetElapsedTime(Volatile.Read(ref _lookedAt)) < Trusted;

    /// <summary>Brings the memories up to date.</summary>
    public ValueTask CatchUpAsync(CancellationToken cancellationToken) => IsFresh ? ValueTask.CompletedTask : LookAsync(cancellationToken);

    /// <inheritdoc/>
    public void Dispose() => _gate.Dispose();

    /// <summary>Adds a memory; at the start, before anything is read.</summary>
    internal void Add(ICrateMemory memory) => _memories.Add(memory);

    private async ValueTask LookAsync(CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (IsFresh) return;
            // Before the look: what is committed during it may be missed by it.
            var (commits, at) = (database.Commits, clock.GetTimestamp());
            try
            {
                await LookAsync().ConfigureAwait(false);
            }
            catch (TransientException e)
            {
                // Reading goes on while the database is away (design §8); until it is back, what was deleted lately may still be served.
                logger.LogInformation(e, "the change feed was not looked at");
            }

            Volatile.Write(ref _lookedAt, at);
            // Last: whoever finds it equal reads memories that have forgotten.
            Volatile.Write(ref _commits, commits);
        }
        finally
        {
            _gate.Release();
        }
    }

    private async ValueTask LookAsync()
    {
        var (settled, names) = await database.ReadAsync(ReadAsync).ConfigureAwait(false);
        if (names is null or { Count: > 0 })
        {
            // First, so that nothing older is remembered from here on.
            Interlocked.Increment(ref _seen);
            foreach (var memory in _memories)
            {
                if (names is null) memory.ForgetAll();
                else foreach (var name in names) memory.Forget(name);
            }
        }

        _position = settled;
    }

    /// <summary>How far the feed reaches, and the canonical names of the crates that changed since the last look; null: any may have.</summary>
    private async ValueTask<(long Settled, List<string>? Names)> ReadAsync(Statements sql)
    {
        var settled = await ChangeFeed.SettledAsync(sql).ConfigureAwait(false);
        // A restored database's feed may be shorter than what is remembered.
        if (_position < 0 || settled < _position) return (settled, null);
        // Those that are not settled too: here the order does not matter, and they are read again until they are.
        var changes = await sql.QueryAsync(
            $"SELECT {ChangeFeed.Columns} FROM changes h WHERE h.id > $1 ORDER BY h.id LIMIT $2", ChangeFeed.Read, _position, MostNamed + 1L).ConfigureAwait(false);
        if (changes.Count == 0) return (settled, []);
        var ids = changes.SelectMany(static change => change.CrateIds()).Distinct().ToList();
        if (changes.Count > MostNamed || ids.Count > MostNamed) return (settled, null);
        // By name: with a crate that comes or goes, another of that name may cease to be served, or begin to.
        var names = await sql.QueryAsync(
            $"WITH ids (id) AS {sql.Dialect.TextList("$1")} SELECT DISTINCT c.canonical FROM ids JOIN crates c ON c.id = CAST(ids.id AS BIGINT)",
            static row => row.Text(0), $"[{string.Join(',', ids)}]").ConfigureAwait(false);
        return (settled, names);
    }
}
