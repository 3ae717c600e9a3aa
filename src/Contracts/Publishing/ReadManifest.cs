namespace Pipeline.Contracts.Publishing;

/// <summary>Bell for the manifest stage: the facts of an archive are known, the verdict is to be reached.</summary>
/// <param name="PublishId">The publish; its row is the state.</param>
public sealed record ReadManifest(string PublishId);
