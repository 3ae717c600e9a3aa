namespace Pipeline.Contracts.Upstream;

/// <summary>Bell of the fetcher: files of mirrored crates are wanted. Which ones the rows say, and in which order.</summary>
public sealed record FetchCrate;
