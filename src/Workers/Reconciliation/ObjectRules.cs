using Pipeline.Contracts.Upkeep;

namespace Pipeline.Workers.Reconciliation;

/// <summary>What was seen of a version's bytes.</summary>
/// <param name="Size">How many bytes the version has.</param>
/// <param name="Found">How many are under its key; null: there are none.</param>
/// <param name="HasRecord">Whether its record is there.</param>
/// <param name="HashDiffers">Whether the bytes were read and are others.</param>
public readonly record struct SeenVersion(long Size, long? Found, bool HasRecord, bool HashDiffers);

/// <summary>What was seen of bytes under a key for crate files.</summary>
/// <param name="Named">Whether an active version names the key.</param>
/// <param name="Going">Whether their deletion is under way.</param>
/// <param name="Reserved">Whether a publish, or another, holds the version's number now.</param>
/// <param name="Lost">Whether a record speaks of the version as accepted that the database does not know.</param>
/// <param name="Age">How old they are.</param>
public readonly record struct SeenBytes(bool Named, bool Going, bool Reserved, bool Lost, TimeSpan Age);

/// <summary>What was seen of staged bytes.</summary>
/// <param name="Waiting">Whether an undecided publish names them.</param>
/// <param name="Age">How old they are.</param>
public readonly record struct SeenStaged(bool Waiting, TimeSpan Age);

/// <summary>Decides what is wrong with an object, from what was seen of it.</summary>
public static class ObjectRules
{
    /// <summary>Bytes younger than this are never deleted: whoever put them there may still be about to name them (design, section 3).</summary>
    public static readonly TimeSpan KeptAtLeast = TimeSpan.FromHours(24);

    /// <summary>Staged bytes younger than this are the clean-up's, which comes by every few minutes.</summary>
    public static readonly TimeSpan StagedAtLeast = TimeSpan.FromHours(2);

    /// <summary>What is wrong with a version's objects.</summary>
    public static IReadOnlyList<DifferenceKind> Of(SeenVersion seen)
    {
        var kinds = new List<DifferenceKind>(2);
        if (seen.Found is null) kinds.Add(DifferenceKind.BytesMissing);
        else if (seen.Found != seen.Size || seen.HashDiffers) kinds.Add(DifferenceKind.ChecksumDiffers);
        if (!seen.HasRecord) kinds.Add(DifferenceKind.RecordMissing);
        return kinds;
    }

    /// <summary>Whether bytes belong to nobody; null: they do not, or it is too early to say. What a record speaks of is never nobody's.</summary>
    public static DifferenceKind? Of(SeenBytes seen) =>
        seen.Named || seen.Going || seen.Reserved || seen.Lost || seen.Age < KeptAtLeast ? null : DifferenceKind.BytesOrphaned;

    /// <summary>Whether staged bytes were forgotten.</summary>
    public static DifferenceKind? Of(SeenStaged seen) => seen.Waiting || seen.Age < StagedAtLeast ? null : DifferenceKind.StagedAndForgotten;

    /// <summary>
    /// Whether a line that the database does not know may be taken out of an index: not when its version's bytes and record are there, for then
    /// it is the database that has lost something (design, section 3 "Recovery").
    /// </summary>
    /// <param name="known">Whether the database has a row of the version, deleted or not.</param>
    /// <param name="hasBytes">Whether its bytes are there.</param>
    /// <param name="hasRecord">Whether a record of it is there.</param>
    public static bool MayDropLine(bool known, bool hasBytes, bool hasRecord) => known || !(hasBytes && hasRecord);
}
