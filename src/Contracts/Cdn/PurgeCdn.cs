namespace Pipeline.Contracts.Cdn;

/// <summary>Bell for the CDN worker: purges are due. Which, and at which target, the rows say.</summary>
public sealed record PurgeCdn;
