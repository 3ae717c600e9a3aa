namespace Pipeline.Tests.Chaos.Faults;

/// <summary>A way to hurt the registry.</summary>
/// <param name="Kind">Its name in the table.</param>
/// <param name="Target">How often it must be seen to bite.</param>
/// <param name="InjectAsync">Does it once and undoes it. True: it was seen to bite.</param>
internal sealed record Fault(string Kind, int Target, Func<Task<bool>> InjectAsync);
