using Pipeline.Contracts;
using Pipeline.Contracts.Publishing;
using Pipeline.Workers.Manifests;

namespace Pipeline.Workers.Tests.Manifests;

/// <summary>A manifest that breaks no rule, for tests to break one at a time, and the rules applied to it.</summary>
internal static class SomeManifest
{
    public const string OwnIndex = "sparse+http://127.0.0.1:7878/index/";
    public const string OwnGitIndex = "http://127.0.0.1:7878/git/index";
    public const string AllowedIndex = "sparse+https://registry.example/index/";
    public const string OtherIndex = "sparse+https://elsewhere.example/index/";

    public static Manifest Valid { get; } = new()
    {
        Name = "foo",
        Version = "1.0.0",
        Description = "description",
        License = "MIT",
    };

    public static ManifestDependency Dependency(string key, string? version = "1") =>
        new(key, null, version, null, null, [], Optional: false, DefaultFeatures: true, null, DependencyKind.Normal);

    public static ClaimedDependency Claim(string name, string? registry) => new(name, null, DependencyKind.Normal, null, "^1", registry);

    public static KeyValuePair<string, IReadOnlyList<string>> Feature(string name, params string[] values) => new(name, values);

    public static string? RejectTextOf(Manifest manifest, PublishLimits? limits = null, params ClaimedDependency[] claims) =>
        Decide(manifest, limits, claims).Reject?.Text;

    public static Release Accept(Manifest manifest, params ClaimedDependency[] claims)
    {
        var (release, reject) = Decide(manifest, null, claims);
        reject.ShouldBeNull();
        return release!;
    }

    public static (Release? Release, Reject? Reject) Decide(Manifest manifest, PublishLimits? limits = null, params ClaimedDependency[] claims)
    {
        var policy = new RegistryPolicy([OwnIndex, OwnGitIndex], [WellKnownRegistries.CratesIoIndex, AllowedIndex]);
        ManifestRules.TryAccept(
            new PublishClaims(CrateName.FromStored("foo"), CrateVersion.Parse("1.0.0"), claims),
            manifest,
            limits ?? new PublishLimits(),
            policy,
            out var release,
            out var reject);
        return (release, reject);
    }
}
