using MassTransit;

namespace Pipeline.Workers.Upstream;

/// <summary>The follower's queue: upstreams side by side.</summary>
public sealed class SyncUpstreamDefinition : ConsumerDefinition<SyncUpstreamConsumer>
{
    /// <summary>The queue's name.</summary>
    public const string Queue = "sync-upstream";

    /// <summary>Puts an upstream off after its sync failed.</summary>
    public const string DelaySql = "UPDATE upstreams SET attempts = attempts + 1, last_error = $2, next_try_at = $3, rung_at = NULL WHERE name = $1";

    /// <summary>Makes an upstream due again.</summary>
    public const string ResetSql = "UPDATE upstreams SET attempts = 0, next_try_at = NULL, rung_at = NULL WHERE name = $1";

    /// <summary>Names the queue.</summary>
    public SyncUpstreamDefinition()
    {
        EndpointName = Queue;
        ConcurrentMessageLimit = 4;
    }
}
