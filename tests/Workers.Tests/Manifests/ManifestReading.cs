using Pipeline.Workers.Manifests;

namespace Pipeline.Workers.Tests.Manifests;

/// <summary>Reads manifests that a test expects to be accepted or refused.</summary>
internal static class ManifestReading
{
    private const string Prefix = "failed to parse `Cargo.toml` manifest file\n\n";

    /// <summary>A package table with the least a manifest needs.</summary>
    public const string Package = "[package]\nname = \"foo\"\nversion = \"1.0.0\"\n";

    public static Manifest Accepted(string toml)
    {
        ManifestReader.TryRead(toml, out var manifest, out var reject).ShouldBeTrue(reject?.Text);
        return manifest!;
    }

    /// <summary>The message behind the fixed first lines.</summary>
    public static string Refused(string toml)
    {
        ManifestReader.TryRead(toml, out _, out var reject).ShouldBeFalse();
        (reject!.Code, reject.Status).ShouldBe(("invalid-manifest", 400));
        reject.Text.ShouldStartWith(Prefix);
        return reject.Text[Prefix.Length..];
    }
}
