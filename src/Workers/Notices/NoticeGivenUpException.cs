namespace Pipeline.Workers.Notices;

/// <summary>A notice was tried so often as is allowed and never taken. It waits for a replay.</summary>
/// <param name="message">What it told of, and how the last delivery failed.</param>
public sealed class NoticeGivenUpException(string message) : Exception(message);
