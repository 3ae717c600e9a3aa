namespace Pipeline.Api.Admin.Shapes;

/// <summary>An upstream and how it stands.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Index">Its index.</param>
/// <param name="Dl">The template of its files' URLs; null: not known yet.</param>
/// <param name="Mode"><c>metadata</c>, <c>on-demand</c> or <c>full</c>.</param>
/// <param name="EverySeconds">Seconds from one look to the next.</param>
/// <param name="Collisions"><c>local-wins</c>, <c>upstream-wins</c> or <c>refuse</c>.</param>
/// <param name="Removals"><c>remove</c> or <c>keep</c>.</param>
/// <param name="AllowOnly">Whether an allow-list limits it.</param>
/// <param name="Crates">Its crates that are here.</param>
/// <param name="Shadowed">Those that are not served, since another source has the name.</param>
/// <param name="Gone">Those that it lost and that are kept.</param>
/// <param name="Bad">Its index files that could not be taken.</param>
/// <param name="Watermark">The commit up to which everything is here.</param>
/// <param name="CheckedAt">When the last sync ended well.</param>
/// <param name="AgeSeconds">How long ago that was; before the first, since it was added.</param>
/// <param name="Running">A sync under way; null: none.</param>
/// <param name="Attempts">Syncs that failed since the last good one.</param>
/// <param name="LastError">Why the last of them did.</param>
/// <param name="NextTryAt">The next look; null: at once.</param>
/// <param name="Incident">Why it cannot be followed; null: it can.</param>
public sealed record UpstreamShape(
    string Name, string Index, string? Dl, string Mode, double EverySeconds, string Collisions, string Removals, bool AllowOnly, long Crates, long Shadowed, long Gone, long Bad,
    string? Watermark, DateTime? CheckedAt, double AgeSeconds, SyncProgress? Running, long Attempts, string? LastError, DateTime? NextTryAt, IncidentShape? Incident)
{
    /// <summary>How many of its files are here.</summary>
    public FilesShape? Files { get; init; }
}

/// <summary>How many files of an upstream there are in each state.</summary>
/// <param name="Wanted">Those that wait for a fetch.</param>
/// <param name="Kept">Those that are here.</param>
/// <param name="Evicted">Those that were here and made room for others.</param>
/// <param name="Refused">Those that were not taken.</param>
/// <param name="KeptBytes">The bytes of those that are here.</param>
public sealed record FilesShape(long Wanted, long Kept, long Evicted, long Refused, long KeptBytes);

/// <summary>A file that could not be had.</summary>
/// <param name="Crate">Its crate.</param>
/// <param name="Version">Its version.</param>
/// <param name="State"><c>wanted</c>: it is tried again; <c>refused</c>: not by itself.</param>
/// <param name="Text">Why.</param>
/// <param name="Attempts">How often it was tried.</param>
/// <param name="NextTryAt">The next try.</param>
public sealed record UpstreamFileItem(string Crate, string Version, string State, string Text, long Attempts, DateTime? NextTryAt);

/// <summary>Why an upstream cannot be followed.</summary>
/// <param name="Reason"><c>failing</c> or <c>stale</c>.</param>
/// <param name="Since">When that was told.</param>
public sealed record IncidentShape(string Reason, DateTime Since);

/// <summary>How far a sync is.</summary>
/// <param name="Done">Files done.</param>
/// <param name="Total">Files to do.</param>
public sealed record SyncProgress(long Done, long Total);

/// <summary>All upstreams, the first in place first.</summary>
/// <param name="Upstreams">The upstreams.</param>
public sealed record UpstreamsAnswer(IReadOnlyList<UpstreamShape> Upstreams);

/// <summary>One upstream with what troubles it.</summary>
/// <param name="Upstream">The upstream.</param>
/// <param name="Items">Index files that could not be taken, at most 100.</param>
/// <param name="Contested">Names that another source has too, at most 100.</param>
/// <param name="LocalNames">Names that are reserved for local crates.</param>
public sealed record UpstreamAnswer(UpstreamShape Upstream, IReadOnlyList<UpstreamItem> Items, IReadOnlyList<ContestedName> Contested, IReadOnlyList<string> LocalNames)
{
    /// <summary>Files that could not be had, at most 100.</summary>
    public IReadOnlyList<UpstreamFileItem> Files { get; init; } = [];
}

/// <summary>An index file that could not be taken.</summary>
/// <param name="Path">Its path.</param>
/// <param name="Code">A stable word.</param>
/// <param name="Text">Why.</param>
/// <param name="Attempts">How often it was tried.</param>
/// <param name="NextTryAt">The next try.</param>
public sealed record UpstreamItem(string Path, string Code, string Text, long Attempts, DateTime NextTryAt);

/// <summary>A name that more than one source has.</summary>
/// <param name="Name">The name.</param>
/// <param name="Served">The source that is served; null: none.</param>
/// <param name="Others">The sources that are not.</param>
public sealed record ContestedName(string Name, string? Served, IReadOnlyList<string> Others);

/// <summary>The body that adds or changes an upstream; what a change leaves out stays.</summary>
/// <param name="Name">Its name; of a change, in the path.</param>
/// <param name="Index">Its index.</param>
/// <param name="Dl">The template of its files' URLs; empty: what its <c>config.json</c> says.</param>
/// <param name="Mode">The mode.</param>
/// <param name="EverySeconds">The interval.</param>
/// <param name="Collisions">The policy for names that are local too.</param>
/// <param name="Removals">The policy for crates that it lost.</param>
/// <param name="Allow">The names to follow, and no others.</param>
/// <param name="AllowAll">Of a change: no allow-list any more.</param>
public sealed record UpstreamRequest(
    string? Name = null, string? Index = null, string? Dl = null, string? Mode = null, double? EverySeconds = null, string? Collisions = null, string? Removals = null,
    IReadOnlyList<string>? Allow = null, bool AllowAll = false);

/// <summary>The body that asks for a sync.</summary>
/// <param name="AcceptRemovals">Take away as many crates as the upstream has lost.</param>
public sealed record SyncRequest(bool AcceptRemovals = false);

/// <summary>The body that reserves a name.</summary>
/// <param name="Reason">Why.</param>
public sealed record ReserveRequest(string? Reason = null);

/// <summary>What came of reserving or releasing a name.</summary>
/// <param name="Name">The name.</param>
/// <param name="Changed">Whether another crate is served under it now.</param>
public sealed record LocalNameAnswer(string Name, bool Changed);
