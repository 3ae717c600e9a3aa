namespace Pipeline.Workers.Recovery;

/// <summary>What a recovery did, or would do.</summary>
public sealed record RecoveryReport
{
    /// <summary>The registry's new epoch; null: nothing was written.</summary>
    public string? Epoch { get; set; }

    /// <summary>Crates looked at: those of the database and those that the store or the index knows.</summary>
    public long Crates { get; set; }

    /// <summary>Crates of which something was restored.</summary>
    public long CratesRestored { get; set; }

    /// <summary>Versions that the database lacked.</summary>
    public long VersionsRestored { get; set; }

    /// <summary>Versions whose yank or deletion the database did not know, or knew differently.</summary>
    public long VersionsChanged { get; set; }

    /// <summary>Accounts that came back by their login, without tokens and address.</summary>
    public long UsersRestored { get; set; }

    /// <summary>Publishes of the backup whose end came after it: accepted now, as they were.</summary>
    public long PublishesAccepted { get; set; }

    /// <summary>Publishes of the backup whose bytes are gone: rejected, to be sent again.</summary>
    public long PublishesGivenUp { get; set; }

    /// <summary>Things to know, by kind.</summary>
    public SortedDictionary<string, long> NoteCounts { get; } = new(StringComparer.Ordinal);

    /// <summary>The first of them.</summary>
    public List<RecoveryNote> Notes { get; } = [];

    /// <summary>Whether bytes are missing that a version in force names: they are to be brought back from a backup of the store.</summary>
    public bool LacksBytes => NoteCounts.ContainsKey("bytes-missing");

    internal void Add(RecoveryNote note)
    {
        const int Most = 1000;
        NoteCounts[note.Kind] = NoteCounts.GetValueOrDefault(note.Kind) + 1;
        if (Notes.Count < Most) Notes.Add(note);
    }
}
