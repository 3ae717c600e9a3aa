namespace Pipeline.Contracts.Publishing;

/// <summary>Bell for the tarball stage: the staged bytes of a parked publish wait to be checked.</summary>
/// <param name="PublishId">The publish; its row is the state.</param>
public sealed record ValidateTarball(string PublishId);
