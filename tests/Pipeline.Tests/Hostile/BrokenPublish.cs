namespace Pipeline.Tests.Hostile;

/// <summary>A publish that breaks a rule for certain.</summary>
/// <param name="What">What is wrong with it, for the message of a failed test.</param>
/// <param name="Body">The body of its PUT.</param>
internal sealed record BrokenPublish(string What, byte[] Body);
