namespace Pipeline.Workers.Cdn;

/// <summary>A cache refuses what it is asked: credentials, settings or the request are wrong. It goes on being tried, slowly, until somebody mends that.</summary>
/// <param name="message">Which cache, and what it said, without secrets.</param>
public sealed class PurgeRefusedException(string message) : Exception(message);
