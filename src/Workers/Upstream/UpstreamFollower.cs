using System.Collections.Concurrent;
using Pipeline.Registry.Database;
using Pipeline.Registry.Git;
using Pipeline.Registry.Options;
using Pipeline.Registry.Truth;
using Pipeline.Registry.Upstreams;

namespace Pipeline.Workers.Upstream;

/// <summary>Follows upstreams, each in one process at a time and there once: the lease chooses the process.</summary>
public sealed class UpstreamFollower(
    IDatabase database, GitProgram git, GitFollower byGit, SparseFollower bySparse, RegistryOptions options, ThisProcess process, TimeProvider clock)
{
    private static readonly TimeSpan LeaseTime = TimeSpan.FromSeconds(30);

    private readonly ConcurrentDictionary<string, Lease> _running = new(StringComparer.Ordinal);

    /// <summary>Brings the mirror to where an upstream is.</summary>
    /// <returns>Whether this process had anything to do.</returns>
    /// <exception cref="Registry.Failures.TransientException">The upstream or the database is away, or the upstream's index cannot be meant.</exception>
    public async Task<bool> FollowAsync(string name, CancellationToken cancellationToken)
    {
        var lease = new Lease(database, $"upstream-{name}", process.Id, LeaseTime, clock);
        if (!_running.TryAdd(name, lease)) return false;
        try
        {
            if (await database.ReadAsync(sql => UpstreamStore.FindAsync(sql, name), cancellationToken).ConfigureAwait(false) is not { } upstream) return false;
            if (!await lease.TryTakeAsync(cancellationToken).ConfigureAwait(false)) return false;
            await using var keeper = new LeaseKeeper(lease, clock, cancellationToken);
            try
            {
                // To take everything away, nothing need be asked of the upstream.
                return upstream is { IsSparse: true, IsRemoved: false } ? await bySparse.FollowAsync(upstream, lease, keeper.Stop).ConfigureAwait(false)
                    : await byGit.FollowAsync(upstream, CloneOf(name), lease, keeper.Stop).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (keeper.IsLost && !cancellationToken.IsCancellationRequested)
            {
                // Whoever took it over goes on.
                return true;
            }
        }
        finally
        {
            _running.TryRemove(name, out _);
        }
    }

    /// <summary>The clone of an upstream's git index.</summary>
    public UpstreamClone CloneOf(string name) => new(git, Path.GetFullPath(Path.Combine(options.Data, "upstreams", name + ".git")));
}
