using Pipeline.Contracts;

namespace Pipeline.Workers.Manifests;

/// <summary>Words what is wrong with a manifest as its publisher reads it (crates-io-behaviour §2.6).</summary>
public static class ManifestReject
{
    /// <summary>The refusal of a manifest, status 400.</summary>
    /// <param name="message">What is wrong; a rendered TOML error brings its own line feed at the end.</param>
    public static Reject Because(string message) =>
        new(RejectCodes.InvalidManifest, 400, $"failed to parse `Cargo.toml` manifest file\n\n{message:whole}");
}
