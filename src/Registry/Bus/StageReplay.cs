namespace Pipeline.Registry.Bus;

/// <summary>
/// How failures of a stage are replayed. Most are about a row: it is put back to where no failure had happened, and the sweep rings it in its
/// turn. A failure of a bell without a key is about no row: the bell is rung again.
/// </summary>
/// <param name="ResetSql">
/// Statements that make the row behind a key due again, with no failed tries; <c>$1</c> the key. They change nothing when nothing waits there any
/// more, and none where a run would do harm.
/// </param>
/// <param name="BellKey">The key of failures of the bell itself; null: every failure of the stage is about a row.</param>
/// <param name="Ring">Rings that bell.</param>
public sealed record StageReplay(IReadOnlyList<string> ResetSql, string? BellKey = null, Func<IDoorbell, ValueTask>? Ring = null)
{
    /// <summary>For a stage whose failures are about rows.</summary>
    public static StageReplay OfRows(params string[] resetSql) => new(resetSql);

    /// <summary>For a stage whose bell has no key.</summary>
    /// <param name="key">What failures of the bell are filed under.</param>
    /// <param name="bell">The bell.</param>
    /// <param name="resetSql">Where it has rows too, how they are put back.</param>
    public static StageReplay OfBell<T>(string key, T bell, params string[] resetSql)
        where T : class => new(resetSql, key, doorbell => doorbell.RingAsync(bell));
}
