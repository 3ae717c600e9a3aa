namespace Pipeline.Workers.Manifests;

/// <summary>
/// A fault: somebody publishes a version that the store knows as accepted with other bytes, and the database does not. It was restored from
/// an older backup and nobody ran <c>pipeline recover</c> (design, section 3 "Recovery").
/// </summary>
public sealed class LostVersionException(string name, string num)
    : Exception($"the object store has another {name} {num} that was accepted, and the database has lost it: stop the registry and run `pipeline recover`");
