using Pipeline.Contracts.Cdn;
using Pipeline.Contracts.Index;
using Pipeline.Contracts.Notices;
using Pipeline.Contracts.Search;
using Pipeline.Contracts.Upkeep;
using Pipeline.Contracts.Upstream;

namespace Pipeline.Registry.Bus;

/// <summary>What the bus and the failure handling know of one stage.</summary>
/// <param name="Queue">Its queue, the kebab-case of its message; also its name in logs, failures and configuration.</param>
/// <param name="Message">Its message.</param>
/// <param name="Key">The key a failure of it is filed under.</param>
/// <param name="DelaySql">
/// Puts off the row behind a key after a failure: <c>$1</c> the key, <c>$2</c> the error, <c>$3</c> when to try next. It changes nothing when
/// nothing waits there any more. Null: the stage has no row of its own, the next sweep or schedule is its next try.
/// </param>
/// <param name="Replay">How its failures are replayed. Null: nothing of it can wait, so a failure has only to be seen.</param>
/// <param name="IsBatched">Whether its consumer works on what waits together, and sees to failures key by key (<see cref="Batches.IBatchConsumer{TKey}"/>).</param>
public sealed record Stage(string Queue, Type Message, Func<object, string> Key, string? DelaySql, StageReplay? Replay = null, bool IsBatched = false);

/// <summary>Every stage of this program by its message.</summary>
public sealed class Stages(IEnumerable<Stage> stages)
{
    private static readonly HashSet<Type> Keyless =
        [typeof(CommitIndex), typeof(PurgeCdn), typeof(UpdateSearch), typeof(SendNotices), typeof(FetchCrate), typeof(Sweep), typeof(CleanStaging), typeof(SquashIndex)];

    private readonly Dictionary<Type, Stage> _byMessage = stages.ToDictionary(stage => stage.Message);

    /// <summary>All of them.</summary>
    public IReadOnlyCollection<Stage> All => _byMessage.Values;

    /// <summary>The stage of a message.</summary>
    public Stage Of(Type message) => _byMessage[message];

    /// <summary>The stage of a queue; null: this program does not know it.</summary>
    public Stage? Find(string queue) => _byMessage.Values.FirstOrDefault(stage => stage.Queue == queue);

    /// <summary>Whether the bells of a stage are without keys: one waiting says all there is to say, and a second would do nothing.</summary>
    public static bool IsKeyless(Type message) => Keyless.Contains(message);
}
