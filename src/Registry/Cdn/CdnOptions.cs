namespace Pipeline.Registry.Cdn;

/// <summary>The caches in front of the index and the files. Section <c>Cdn</c>; without a target there is nothing to purge.</summary>
public sealed record CdnOptions
{
    /// <summary>
    /// How long, in seconds, a shared cache may keep an index file without asking the API again; clients always ask. 0: not at all, which is
    /// the only right answer without a target that is purged.
    /// </summary>
    public int IndexSeconds { get; init; }

    /// <summary>For how many days a confirmed purge can be looked up.</summary>
    public double KeepDays { get; init; } = 7;

    /// <summary>The caches.</summary>
    public IReadOnlyList<CdnTarget> Targets { get; init; } = [];

    /// <summary>Whether what is served names its surrogate keys.</summary>
    public bool NamesKeys => Targets.Any(static target => target.SurrogateKeys);
}
