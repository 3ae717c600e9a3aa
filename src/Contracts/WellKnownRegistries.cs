namespace Pipeline.Contracts;

/// <summary>Registries that cargo itself knows by name.</summary>
public static class WellKnownRegistries
{
    /// <summary>
    /// The index URL by which cargo means crates.io in a publish request, whatever protocol it reads it by
    /// (cargo-client-behaviour §7). A packaged manifest has no <c>registry-index</c> for it.
    /// </summary>
    public const string CratesIoIndex = "https://github.com/rust-lang/crates.io-index";
}
