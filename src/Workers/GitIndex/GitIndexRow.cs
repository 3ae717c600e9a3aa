using Pipeline.Contracts.Index;
using Pipeline.Registry.Bus;
using Pipeline.Registry.Database;
using Pipeline.Registry.Failures;

namespace Pipeline.Workers.GitIndex;

/// <summary>
/// The row of the git index as a whole: when git or its remote is tried again after a failure. Bells that come meanwhile change nothing, so
/// that a thousand publishes do not knock a thousand times at a remote that is down.
/// </summary>
public sealed class GitIndexRow(IDatabase database, FailureLog failures, IDoorbell doorbell)
{
    /// <summary>The key of its failures.</summary>
    public const string Key = "index";

    /// <summary>The stage as this row sees it.</summary>
    public static readonly Stage Stage = new(
        CommitIndexDefinition.Queue,
        typeof(CommitIndex),
        static _ => Key,
        $"UPDATE git_index SET attempts = attempts + 1, last_error = $2, next_try_at = $3 WHERE target = '' AND $1 = '{Key}'");

    /// <summary>Makes the index due now, whatever kept it. It stays marked as put off, so that whoever comes through resolves its failures.</summary>
    public const string ResetSql =
        $"UPDATE git_index SET attempts = 0, next_try_at = now_us() WHERE target = '' AND next_try_at IS NOT NULL AND $1 = '{Key}'";

    private static readonly TimeSpan LongestInMemory = TimeSpan.FromSeconds(5);

    // True at first, and whenever the row says so: another process may have left it.
    private volatile bool _mayBePutOff = true;

    /// <summary>Whether it is to be left alone for now.</summary>
    public async ValueTask<bool> IsPutOffAsync(CancellationToken cancellationToken)
    {
        var wait = await database.ReadAsync(static sql => sql.LongAsync("SELECT next_try_at - now_us() FROM git_index WHERE target = ''"), cancellationToken).ConfigureAwait(false);
        if (wait is not null) _mayBePutOff = true;
        return wait > 0;
    }

    /// <summary>Puts the index off. A short wait is kept in memory, a longer one is the sweep's.</summary>
    public async ValueTask FailedAsync(TransientException exception)
    {
        _mayBePutOff = true;
        var delay = await failures.RecordAsync(Stage, Key, exception).ConfigureAwait(false);
        if (delay <= LongestInMemory) _ = RingLaterAsync(delay.Value);
    }

    /// <summary>Git and its remote have done what was asked.</summary>
    public async ValueTask CameThroughAsync()
    {
        if (!_mayBePutOff) return;
        await database.WriteAsync(static sql => sql.ExecuteAsync(
            "UPDATE git_index SET attempts = 0, last_error = NULL, next_try_at = NULL WHERE target = '' AND next_try_at IS NOT NULL")).ConfigureAwait(false);
        await failures.ResolveAsync(Stage, Key).ConfigureAwait(false);
        _mayBePutOff = false;
    }

    private async Task RingLaterAsync(TimeSpan delay)
    {
        await Task.Delay(delay).ConfigureAwait(false);
        await doorbell.RingAsync(new CommitIndex()).ConfigureAwait(false);
    }
}
