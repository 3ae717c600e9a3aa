namespace Pipeline.Contracts.Search;

/// <summary>Bell for the search worker: crates have changed. Which, the change feed says.</summary>
public sealed record UpdateSearch;
