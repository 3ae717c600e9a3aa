using System.Globalization;
using MassTransit;
using Pipeline.Contracts.Index;
using Pipeline.Registry.Bus;

namespace Pipeline.Workers.GitIndex;

/// <summary>The git writer's queue.</summary>
public sealed class CommitIndexDefinition : ConsumerDefinition<CommitIndexConsumer>
{
    /// <summary>The queue's name.</summary>
    public const string Queue = "commit-index";

    /// <summary>The stage as one crate's row sees it, for a crate that is set aside. The bell itself has no row.</summary>
    public static readonly Stage Row = new(
        Queue,
        typeof(CommitIndex),
        static _ => "",
        "UPDATE projections SET attempts = attempts + 1, last_error = $2, next_try_at = $3 WHERE crate_id = CAST($1 AS BIGINT) AND kind = 'git' AND target = ''");

    /// <summary>
    /// Puts a crate that is set aside back among those to be brought into the index; keys that are no crate's id change nothing. Its tries stay
    /// counted: they say that there is a failure to resolve.
    /// </summary>
    public const string ResetSql =
        $"""
        UPDATE projections SET next_try_at = NULL WHERE kind = 'git' AND target = '' AND reached < wanted
            AND crate_id = CAST(CASE WHEN $1 = '{GitIndexRow.Key}' THEN NULL ELSE $1 END AS BIGINT)
        """;

    /// <summary>Names the queue and its one consumer at a time.</summary>
    public CommitIndexDefinition()
    {
        EndpointName = Queue;
        ConcurrentMessageLimit = 1;
    }

    /// <summary>The key that a crate's failure is filed under.</summary>
    public static string RowKey(long crateId) => crateId.ToString(CultureInfo.InvariantCulture);
}
