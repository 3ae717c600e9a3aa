namespace Pipeline.Contracts.Notices;

/// <summary>Bell for the worker that tells webhooks of changes: there are some. Which, and to whom, the rows say.</summary>
public sealed record SendNotices;
