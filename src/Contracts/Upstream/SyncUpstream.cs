namespace Pipeline.Contracts.Upstream;

/// <summary>Bell of the follower: look what an upstream has that the mirror lacks.</summary>
/// <param name="Name">The upstream.</param>
public sealed record SyncUpstream(string Name);
