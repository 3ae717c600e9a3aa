using Pipeline.Contracts;
using Pipeline.Contracts.Publishing;
using Pipeline.Workers.Manifests;
using Pipeline.Workers.Manifests.Toml;

namespace Pipeline.Cli.Importing;

/// <summary>A dependency as cargo puts it into the publish JSON (cargo-client-behaviour §7).</summary>
/// <param name="Key">The table key.</param>
/// <param name="Table">What stands there.</param>
/// <param name="Kind">Which table it stands in.</param>
/// <param name="Target">The platform as cargo prints it, or null.</param>
/// <param name="Registry">The registry it lives in; null: the one the crate was made for.</param>
internal sealed record PublishDependency(string Key, TomlValue Table, DependencyKind Kind, string? Target, string? Registry)
{
    /// <summary>The real name of the crate depended on.</summary>
    public string Name => TomlReading.Text(Table, "package") ?? Key;

    /// <summary>The table key if the dependency is renamed, even to its own name.</summary>
    public string? ExplicitName => TomlReading.Text(Table, "package") is null ? null : Key;

    /// <summary>The requirement as cargo prints it; one it could not read as it stands.</summary>
    public string Requirement
    {
        get
        {
            var text = (Table is TomlString plain ? plain.Value : TomlReading.Text(Table, "version") ?? "").Trim();
            if (text.Length == 0) return "*";
            return VersionRequirement.TryParse(text, out var requirement) ? requirement.Text : text;
        }
    }

    /// <summary>Whether the crate must be known here before this one.</summary>
    public bool IsHere => Registry is null;

    /// <summary>The part of it that the pipeline believes.</summary>
    public ClaimedDependency Claim => new(Name, ExplicitName, Kind, Target, Requirement, Registry);

    /// <summary>All dependencies of a manifest in cargo's order: normal, dev, build, then by platform normal, build, dev.</summary>
    public static List<PublishDependency> ReadAll(TomlTable manifest, RegistryOfCrates registry)
    {
        var all = new List<PublishDependency>();
        Append(all, manifest, DependencyKind.Normal, null, registry);
        Append(all, manifest, DependencyKind.Dev, null, registry);
        Append(all, manifest, DependencyKind.Build, null, registry);
        if (!manifest.TryGetValue("target", out var targets) || targets is not TomlTable platforms) return all;
        foreach (var (platform, _, value) in platforms.OrderBy(entry => entry.Key, Utf8Order.Instance))
        {
            if (value is not TomlTable table) continue;
            var target = TargetText.Normalise(platform);
            Append(all, table, DependencyKind.Normal, target, registry);
            Append(all, table, DependencyKind.Build, target, registry);
            Append(all, table, DependencyKind.Dev, target, registry);
        }

        return all;
    }

    private static void Append(List<PublishDependency> all, TomlTable parent, DependencyKind kind, string? target, RegistryOfCrates registry)
    {
        var name = kind switch
        {
            DependencyKind.Dev => "dev-dependencies",
            DependencyKind.Build => "build-dependencies",
            _ => "dependencies",
        };
        if (TomlReading.Aliased(parent, name) is not TomlTable table) return;
        foreach (var (key, _, value) in table.OrderBy(entry => entry.Key, Utf8Order.Instance))
        {
            // Dev dependencies by path or git alone are dropped by cargo.
            if (kind == DependencyKind.Dev && value is TomlTable detail && !detail.TryGetValue("version", out _)) continue;
            all.Add(new PublishDependency(key, value, kind, target, registry.Foreign(TomlReading.Text(value, "registry-index"))));
        }
    }
}
