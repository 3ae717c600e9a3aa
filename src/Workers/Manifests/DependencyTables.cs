using Pipeline.Contracts;
using Pipeline.Workers.Manifests.Toml;

namespace Pipeline.Workers.Manifests;

/// <summary>Reads <c>[dependencies]</c>, its siblings, and the same below <c>[target.…]</c> (crates-io-behaviour §2.5).</summary>
internal sealed class DependencyTables
{
    private readonly List<ManifestDependency> _normal = [];
    private readonly List<ManifestDependency> _dev = [];
    private readonly List<ManifestDependency> _build = [];
    private readonly string? _target;

    /// <summary>Empty tables.</summary>
    /// <param name="target">The key of <c>[target.…]</c> they stand below, or null.</param>
    public DependencyTables(string? target) => _target = target;

    /// <summary>Whether a dependency says <c>workspace = true</c>.</summary>
    public bool Inherits { get; private set; }

    /// <summary>Whether a value is <c>{ workspace = true }</c>, whatever else stands in it.</summary>
    public static bool SaysWorkspace(TomlValue value) =>
        value is TomlTable table && table.TryGetValue("workspace", out var workspace) && workspace is TomlBoolean { Value: true };

    /// <summary>Reads <c>[target]</c>: platform → dependency tables, in the byte order of the platforms.</summary>
    public static IEnumerable<DependencyTables> ReadTargets(TomlValue value, ManifestShape shape)
    {
        var targets = new List<DependencyTables>();
        if (shape.Table(value, "a map") is not { } table)
            return targets;
        for (var at = 0; at < table.Count; at++)
        {
            var tables = new DependencyTables(table[at].Key);
            targets.Add(tables);
            if (shape.Table(table[at].Value, "struct Target") is not { } platform)
                continue;
            for (var inner = 0; inner < platform.Count; inner++)
                tables.Take(platform, platform[inner], shape);
        }
        targets.Sort(static (x, y) => Utf8Order.Instance.Compare(x._target, y._target));
        return targets;
    }

    /// <summary>Reads <c>[patch]</c>, whose content is never used but must have the form of dependencies.</summary>
    /// <returns>Whether it has an entry.</returns>
    public static bool ReadPatch(TomlValue value, ManifestShape shape)
    {
        if (shape.Table(value, "a map") is not { } table)
            return false;
        for (var at = 0; at < table.Count; at++)
            new DependencyTables(null).Add(table[at].Value, DependencyKind.Normal, shape);
        return table.Count > 0;
    }

    /// <summary>Reads an entry of the manifest's root or of a platform, if it is a dependency table.</summary>
    /// <returns>Whether it is one.</returns>
    public bool Take(TomlTable table, TomlEntry entry, ManifestShape shape)
    {
        switch (entry.Key)
        {
            case "dependencies":
                Add(entry.Value, DependencyKind.Normal, shape);
                return true;
            case "dev-dependencies":
                Add(entry.Value, DependencyKind.Dev, shape);
                return true;
            case "dev_dependencies":
                shape.OldName(table, entry, "dev-dependencies");
                goto case "dev-dependencies";
            case "build-dependencies":
                Add(entry.Value, DependencyKind.Build, shape);
                return true;
            case "build_dependencies":
                shape.OldName(table, entry, "build-dependencies");
                goto case "build-dependencies";
            default:
                return false;
        }
    }

    /// <summary>Appends the dependencies in the order of crates-io-behaviour §1.9: normal, dev, build, each byte-sorted by key.</summary>
    public void AppendTo(List<ManifestDependency> all)
    {
        foreach (var kind in (ReadOnlySpan<List<ManifestDependency>>)[_normal, _dev, _build])
        {
            kind.Sort(static (x, y) => Utf8Order.Instance.Compare(x.Key, y.Key));
            all.AddRange(kind);
        }
    }

    private void Add(TomlValue value, DependencyKind kind, ManifestShape shape)
    {
        if (shape.Table(value, "a map") is not { } table)
            return;
        var list = kind switch { DependencyKind.Dev => _dev, DependencyKind.Build => _build, _ => _normal };
        for (var at = 0; at < table.Count; at++)
            list.Add(ReadDependency(table[at], kind, shape));
    }

    private ManifestDependency ReadDependency(TomlEntry entry, DependencyKind kind, ManifestShape shape)
    {
        var dependency = new ManifestDependency(entry.Key, null, null, null, null, [], false, true, _target, kind);
        if (entry.Value is TomlString requirement)
            return dependency with { Version = requirement.Value };
        if (entry.Value is not TomlTable table)
        {
            shape.Mismatch(entry.Value, "a version requirement or a table");
            return dependency;
        }
        if (!SaysWorkspace(table))
            return ReadDetail(dependency, table, shape);
        Inherits = true;
        return ReadInherited(dependency, table, shape);
    }

    // What the workspace says is unknown here; beside it a member may only add features and make the dependency optional.
    private static ManifestDependency ReadInherited(ManifestDependency dependency, TomlTable table, ManifestShape shape)
    {
        if (table.TryGetValue("features", out var features))
            dependency = dependency with { Features = shape.Texts(features) };
        if (table.TryGetValue("optional", out var optional))
            dependency = dependency with { Optional = shape.Flag(optional) is true };
        return dependency;
    }

    private static ManifestDependency ReadDetail(ManifestDependency dependency, TomlTable table, ManifestShape shape)
    {
        string? package = null, version = null, registry = null, index = null;
        IReadOnlyList<string> features = [];
        bool? optional = null, defaultFeatures = null;
        for (var at = 0; at < table.Count; at++)
        {
            var entry = table[at];
            switch (entry.Key)
            {
                case "version":
                    version = shape.Text(entry.Value);
                    break;
                case "package":
                    package = shape.Text(entry.Value);
                    break;
                case "registry":
                    registry = shape.Text(entry.Value);
                    break;
                case "registry-index":
                    index = shape.Text(entry.Value);
                    break;
                case "registry_index":
                    shape.OldName(table, entry, "registry-index");
                    goto case "registry-index";
                case "path" or "git" or "branch" or "tag" or "rev":
                    shape.Text(entry.Value);
                    break;
                case "features":
                    features = shape.Texts(entry.Value);
                    break;
                case "optional":
                    optional = shape.Flag(entry.Value);
                    break;
                case "default-features":
                    defaultFeatures = shape.Flag(entry.Value);
                    break;
                case "default_features":
                    shape.OldName(table, entry, "default-features");
                    goto case "default-features";
            }
        }
        return new ManifestDependency(
            dependency.Key, package, version, registry, index, features, optional ?? false, defaultFeatures ?? true, dependency.Target, dependency.Kind);
    }
}
