namespace Pipeline.Registry.Faults;

/// <summary>
/// Bugs planted on purpose, one against each law, by which the chaos suite shows that it would find them. They exist only in a build with
/// <c>-p:PlantedBugs=true</c>, which <c>ops/test chaos --plant</c> makes in a folder of its own; there an environment variable names the one
/// that is on. In every other build each of these is the constant false.
/// </summary>
public static class PlantedBugs
{
    /// <summary>Every bug, by the name that switches it on.</summary>
    public static readonly IReadOnlyList<string> All = ["answer-before-row", "unfenced-render", "lost-bell", "bytes-after-row", "double-commit", "purge-forgotten"];

    /// <summary>Those that only a power cut shows, and no kill does. No suite runs them yet.</summary>
    public static readonly IReadOnlyList<string> OfPowerCuts = ["drop-before-sync"];

    /// <summary>The environment variable that switches one on.</summary>
    public const string Variable = "PIPELINE_PLANTED_BUG";

#if PLANTED_BUGS
    private static readonly string? Planted = Environment.GetEnvironmentVariable(Variable);

    /// <summary>Whether this build has them.</summary>
    public static bool AreBuilt => true;

    /// <summary>A publish is answered for before its row is there (against law 3).</summary>
    public static bool AnswerBeforeRow => Planted == "answer-before-row";

    /// <summary>A renderer closes its claim whoever was faster (against law 4).</summary>
    public static bool UnfencedRender => Planted == "unfenced-render";

    /// <summary>Some bells are lost, and the sweep rings nothing again (against law 2).</summary>
    public static bool LostBell => Planted == "lost-bell";

    /// <summary>A version is recorded before its bytes are stored (against law 5).</summary>
    public static bool BytesAfterRow => Planted == "bytes-after-row";

    /// <summary>A batch is committed twice (against the rule that no commit is without a difference).</summary>
    public static bool DoubleCommit => Planted == "double-commit";

    /// <summary>Nothing is written down for caches to forget (against law 5's last step).</summary>
    public static bool PurgeForgotten => Planted == "purge-forgotten";

    /// <summary>Parked copies are dropped before the files that stand for them are synced (against law 3).</summary>
    public static bool DropBeforeSync => Planted == "drop-before-sync";

    /// <summary>The time in which the bug shows: what other processes or a kill need to come between.</summary>
    public static Task GapAsync() => Task.Delay(Random.Shared.Next(50, 400));

    /// <summary>Does something after a gap, when nobody waits for it any more.</summary>
    public static async Task LaterAsync<T>(Func<ValueTask<T>> work)
    {
        ArgumentNullException.ThrowIfNull(work);
        await GapAsync().ConfigureAwait(false);
        await work().ConfigureAwait(false);
    }
#else
    /// <summary>Whether this build has them.</summary>
    public static bool AreBuilt => false;

    /// <summary>A publish is answered for before its row is there (against law 3).</summary>
    public static bool AnswerBeforeRow => false;

    /// <summary>A renderer closes its claim whoever was faster (against law 4).</summary>
    public static bool UnfencedRender => false;

    /// <summary>Some bells are lost, and the sweep rings nothing again (against law 2).</summary>
    public static bool LostBell => false;

    /// <summary>A version is recorded before its bytes are stored (against law 5).</summary>
    public static bool BytesAfterRow => false;

    /// <summary>A batch is committed twice (against the rule that no commit is without a difference).</summary>
    public static bool DoubleCommit => false;

    /// <summary>Nothing is written down for caches to forget (against law 5's last step).</summary>
    public static bool PurgeForgotten => false;

    /// <summary>Parked copies are dropped before the files that stand for them are synced (against law 3).</summary>
    public static bool DropBeforeSync => false;

    /// <summary>The time in which the bug shows: what other processes or a kill need to come between.</summary>
    public static Task GapAsync() => Task.CompletedTask;

    /// <summary>Does something after a gap, when nobody waits for it any more.</summary>
    public static Task LaterAsync<T>(Func<ValueTask<T>> work) => Task.CompletedTask;
#endif
}
