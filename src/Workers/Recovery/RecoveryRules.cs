using System.Globalization;
using Pipeline.Contracts;
using Pipeline.Registry.Database;
using Pipeline.Workers.Manifests;
using Pipeline.Workers.Records;

namespace Pipeline.Workers.Recovery;

/// <summary>
/// What the database must hold of a crate, from what it has (nothing, or the state of a backup) and what lies outside it. Nothing that was
/// accepted is left out: a record counts when the database, the crate's own record or the index knows its version, or when the bytes stand
/// where they were promised. No number is given back that was ever taken.
/// </summary>
internal static class RecoveryRules
{
    private const int UnixMillisecondsDigits = 12;

    /// <summary>The keys whose bytes must be hashed: nothing but they can tell whether the publish behind a record was accepted.</summary>
    public static IEnumerable<string> Unproven(CrateEvidence evidence) =>
        Unknown(evidence).Where(record => Told(evidence, record) is null && LineOf(evidence, record.Version, record.Checksum) is null).Select(static record => record.ObjectKey);

    /// <summary>Decides.</summary>
    public static CratePlan Decide(CrateEvidence evidence)
    {
        var notes = new List<RecoveryNote>();
        var told = NewerRecord(evidence);
        var found = FromRecords(evidence, notes);
        found.AddRange(FromLines(evidence, found, notes));
        var existing = Existing(evidence, told, notes);
        GiveEachNumberOnce(found, existing, notes);

        var inForce = found.Count(static one => !one.State.Deleted) + existing.Values.Count(static state => !state.Deleted);
        var wasDeleted = told is null ? evidence.Stored is { Deleted: true } : told.State == "deleted";
        var fresh = Timed(evidence, found);
        NoteMissingBytes(evidence, fresh, existing, notes);
        var revived = wasDeleted && inForce > 0;
        return new CratePlan
        {
            New = fresh,
            Changed = [.. Changed(evidence, existing)],
            Deleted = wasDeleted && inForce == 0,
            Revived = revived,
            Told = told,
            Owners = Owners(evidence, told, fresh, revived),
            UsedRevision = Math.Max(evidence.Stored?.Revision ?? 0, evidence.Record?.Revision ?? 0),
            Notes = notes,
        };
    }

    /// <summary>When a publish was kept: as its record says, else as its id does.</summary>
    public static long AcceptedAt(VersionRecord record)
    {
        if (record.AcceptedAt is { } at) return at;
        var digits = record.PublishId.Replace("-", "", StringComparison.Ordinal);
        return digits.Length > UnixMillisecondsDigits && long.TryParse(digits.AsSpan(0, UnixMillisecondsDigits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var milliseconds)
            ? milliseconds * (Microseconds.Second / 1000)
            : 0;
    }

    private static CrateRecord? NewerRecord(CrateEvidence evidence) =>
        evidence.Record is { } record && (evidence.Stored is null || record.Revision > evidence.Stored.Revision) ? record : null;

    private static IEnumerable<VersionRecord> Unknown(CrateEvidence evidence)
    {
        var known = evidence.Stored?.Versions.Select(static version => version.PublishId).ToHashSet(StringComparer.Ordinal) ?? [];
        return evidence.Records.Where(record => !known.Contains(record.PublishId) && !evidence.Rejected.Contains(record.PublishId));
    }

    private static CrateRecordVersion? Told(CrateEvidence evidence, VersionRecord record) =>
        NewerRecord(evidence)?.Versions.FirstOrDefault(version => version.PublishId == record.PublishId);

    private static IndexedVersion? LineOf(CrateEvidence evidence, string num, string checksum) =>
        evidence.Lines.FirstOrDefault(line => line.Num == num && line.Checksum == checksum);

    private static List<NewVersion> FromRecords(CrateEvidence evidence, List<RecoveryNote> notes)
    {
        var versions = new List<NewVersion>();
        foreach (var record in Unknown(evidence))
        {
            var line = LineOf(evidence, record.Version, record.Checksum);
            if (Told(evidence, record) is { } told)
            {
                // A deleted version's line is one that the index had not yet lost; or its bytes came again, with a record of their own.
                var state = new VersionState(told.Deleted, told.Freed, told.Yanked, told.YankMessage);
                versions.Add(new NewVersion(record, told.Deleted ? null : line, AcceptedAt(record), told.Deleted ? state : Doubt(state, line, record.Name, notes)));
            }
            else if (line is not null)
            {
                versions.Add(new NewVersion(record, line, AcceptedAt(record), new VersionState(false, false, line.Yanked, null)));
            }
            else if (evidence.Files.TryGetValue(record.ObjectKey, out var bytes) && bytes.Checksum == record.Checksum)
            {
                versions.Add(new NewVersion(record, null, AcceptedAt(record), default));
            }
            else
            {
                notes.Add(new RecoveryNote("unfinished", record.Name, record.Version));
            }
        }

        return versions;
    }

    // Record and index are written one after the other: where they disagree one of them was late. A yank is there to protect, so it stands.
    private static VersionState Doubt(VersionState told, IndexedVersion? line, string name, List<RecoveryNote> notes)
    {
        if (line is null || line.Yanked == told.Yanked) return told;
        notes.Add(new RecoveryNote("yank-doubtful", name, line.Num));
        return told with { Yanked = true };
    }

    private static IEnumerable<NewVersion> FromLines(CrateEvidence evidence, List<NewVersion> found, List<RecoveryNote> notes)
    {
        if (evidence is { Stored: null, Record: null, Records.Count: 0, Lines: [var shown, ..] })
        {
            // Nothing was ever published here under this name: a mirrored crate's file. Taken for one of ours it would stand before its upstream's.
            notes.Add(new RecoveryNote("index-only", shown.Name, "*"));
            yield break;
        }

        foreach (var line in evidence.Lines)
        {
            if (found.Any(one => one.Num == line.Num && one.Checksum == line.Checksum)) continue;
            var stored = evidence.Stored?.Versions.Where(version => version.Num == line.Num).ToList() ?? [];
            if (stored.Any(version => version.Checksum == line.Checksum)) continue;
            if (stored.Any(static version => !version.Freed) || found.Any(one => one.Num == line.Num && !one.State.Freed))
            {
                notes.Add(new RecoveryNote("checksum-differs", line.Name, line.Num));
                continue;
            }

            notes.Add(new RecoveryNote("no-record", line.Name, line.Num));
            yield return new NewVersion(null, line, 0, new VersionState(false, false, line.Yanked, null));
        }
    }

    private static Dictionary<StoredVersion, VersionState> Existing(CrateEvidence evidence, CrateRecord? told, List<RecoveryNote> notes)
    {
        var states = new Dictionary<StoredVersion, VersionState>();
        foreach (var version in evidence.Stored?.Versions ?? [])
        {
            var state = new VersionState(version.Deleted, version.Freed, version.Yanked, version.YankMessage);
            var line = LineOf(evidence, version.Num, version.Checksum);
            if (told is not null)
            {
                // It tells of every version that is not simply in force; a freed number it may have known before it came again.
                var now = told.Versions.FirstOrDefault(one => one.PublishId == version.PublishId);
                state = now is null ? new VersionState(false, version.Freed, false, null) : new VersionState(now.Deleted, now.Freed || version.Freed, now.Yanked, now.YankMessage);
                if (!state.Deleted) state = Doubt(state, line, evidence.Stored!.Name, notes);
            }
            else if (!state.Deleted && line is not null && evidence.Stored!.IsShown && line.Yanked != state.Yanked)
            {
                state = state with { Yanked = line.Yanked, YankMessage = null };
            }

            states.Add(version, state);
        }

        return states;
    }

    /// <summary>Of several versions with one number at most one holds it: one in force before deleted ones, one that the index shows before others, a later one before an earlier.</summary>
    private static void GiveEachNumberOnce(List<NewVersion> found, Dictionary<StoredVersion, VersionState> existing, List<RecoveryNote> notes)
    {
        var claims = found.Select(static one => (one.Num, one.State, Shown: one.Line is not null, New: (NewVersion?)one, Old: (StoredVersion?)null))
            .Concat(existing.Select(static one => (one.Key.Num, State: one.Value, Shown: true, New: (NewVersion?)null, Old: (StoredVersion?)one.Key)))
            .Where(static one => !one.State.Freed)
            .GroupBy(static one => CrateVersion.Parse(one.Num).WithoutBuild, StringComparer.Ordinal);
        foreach (var number in claims.ToList())
        {
            foreach (var loser in number.OrderBy(static one => one.State.Deleted).ThenByDescending(static one => one.Shown).ThenByDescending(static one => one.New?.PublishedAt ?? 0).Skip(1))
            {
                if (loser.Old is { } old) existing[old] = loser.State with { Freed = true };
                else if (loser.State.Deleted) found[found.IndexOf(loser.New!)] = loser.New! with { State = loser.State with { Freed = true } };
                else
                {
                    found.Remove(loser.New!);
                    notes.Add(new RecoveryNote("number-twice", loser.New!.Name, loser.Num));
                }
            }
        }
    }

    /// <summary>In the index's order where it shows them, the others where their time puts them; each later than the one before.</summary>
    private static List<NewVersion> Timed(CrateEvidence evidence, List<NewVersion> found)
    {
        var lines = evidence.Lines.Select(static (line, i) => (line, i)).ToDictionary(static one => one.line, static one => one.i);
        var shown = new Queue<NewVersion>(found.Where(static one => one.Line is not null).OrderBy(one => lines[one.Line!]));
        var hidden = new Queue<NewVersion>(found.Where(static one => one.Line is null).OrderBy(static one => one.PublishedAt));
        var (timed, last) = (new List<NewVersion>(found.Count), evidence.Stored?.LastPublishedAt ?? 0);
        while (shown.Count + hidden.Count > 0)
        {
            var takesShown = hidden.Count == 0 || (shown.Count > 0 && shown.Peek().PublishedAt <= hidden.Peek().PublishedAt);
            var next = takesShown ? shown.Dequeue() : hidden.Dequeue();
            last = Math.Max(next.PublishedAt, last + 1);
            timed.Add(next with { PublishedAt = last });
        }

        return timed;
    }

    private static void NoteMissingBytes(CrateEvidence evidence, List<NewVersion> fresh, Dictionary<StoredVersion, VersionState> existing, List<RecoveryNote> notes)
    {
        foreach (var one in fresh.Where(static one => !one.State.Deleted))
        {
            var key = one.Record?.ObjectKey ?? Registry.Store.StoreKeys.Crate(one.Name, one.Num);
            if (!evidence.Files.TryGetValue(key, out var bytes) || (one.Record is { } record && record.Size != bytes.Length)) notes.Add(new RecoveryNote("bytes-missing", one.Name, one.Num));
        }

        foreach (var (version, state) in existing)
        {
            if (!state.Deleted && !evidence.Files.ContainsKey(version.ObjectKey)) notes.Add(new RecoveryNote("bytes-missing", evidence.Stored!.Name, version.Num));
        }
    }

    private static IEnumerable<ChangedVersion> Changed(CrateEvidence evidence, Dictionary<StoredVersion, VersionState> existing) =>
        (evidence.Stored?.Versions ?? [])
            .Where(version => existing[version] != new VersionState(version.Deleted, version.Freed, version.Yanked, version.YankMessage))
            .Select(version => new ChangedVersion(version, existing[version]));

    private static IReadOnlyList<string>? Owners(CrateEvidence evidence, CrateRecord? told, List<NewVersion> fresh, bool revived)
    {
        if (told is not null && !revived) return told.Owners;
        if (evidence.Stored is not null && !revived) return null;
        var first = fresh.FirstOrDefault(one => one.Record is not null && (!revived || !one.State.Deleted));
        return first is null ? [] : [LoginOf(first.Record!)];
    }

    /// <summary>The login of a record's publisher; one of an older program only knows a number.</summary>
    public static string LoginOf(VersionRecord record) => record.PublishedByLogin ?? string.Create(CultureInfo.InvariantCulture, $"user-{record.PublishedBy}");
}
