using Pipeline.Contracts;
using Pipeline.Workers.Manifests.Toml;

namespace Pipeline.Workers.Manifests;

/// <summary>The tables of a manifest as read, before the rules of crates-io-behaviour §2.6.</summary>
internal sealed class ManifestTables
{
    private readonly DependencyTables _dependencies = new(target: null);
    private IEnumerable<DependencyTables> _platforms = [];
    private IReadOnlyList<KeyValuePair<string, IReadOnlyList<string>>> _features = [];
    private IReadOnlyList<(string? Name, string? Path)> _bins = [];
    private (string? Name, string? Path)? _lib;
    private PackageTable? _package;
    private bool _patches;

    /// <summary>Reads the tables in the order of the text, so that the first mismatch of the text is the one noted.</summary>
    public static ManifestTables Read(TomlTable root, ManifestShape shape)
    {
        var tables = new ManifestTables();
        for (var at = 0; at < root.Count; at++)
        {
            if (!tables._dependencies.Take(root, root[at], shape))
                tables.Take(root[at], shape);
        }
        // Very old manifests say [project], or have the package's fields at the root.
        if (tables._package is null && shape.Error is null)
            tables._package = PackageTable.Read(root.TryGetValue("project", out var project) ? project : root, missingAt: null, shape);
        return tables;
    }

    /// <summary>The rules on a manifest that has the right form.</summary>
    /// <returns>The message of the first rule that is broken, or null.</returns>
    public string? FirstBrokenRule()
    {
        if (_patches)
            return "crates cannot be published with `[patch]` tables";
        if (_package is not { HasVersion: true })
            return "missing field `version`";
        // Not asked of target-specific dependencies: those end as wildcards (§2.6).
        return _package.Inherits || _dependencies.Inherits ? "value from workspace hasn't been set" : null;
    }

    /// <summary>The manifest. Only to be called when nothing is wrong with it.</summary>
    public Manifest ToManifest()
    {
        var package = _package ?? throw new InvalidOperationException("A manifest was asked for before its package was read.");
        return new Manifest
        {
            Name = package.Name ?? throw new InvalidOperationException("A manifest was asked for although its name is missing."),
            Version = package.Version ?? throw new InvalidOperationException("A manifest was asked for although its version is missing."),
            Edition = package.Edition,
            RustVersion = package.RustVersion,
            Description = package.Description,
            Homepage = package.Homepage,
            Documentation = package.Documentation,
            Repository = package.Repository,
            License = package.License,
            LicenseFile = package.LicenseFile,
            Links = package.Links,
            Keywords = package.Keywords,
            Categories = package.Categories,
            Dependencies = CollectDependencies(),
            Features = _features,
            Targets = new ManifestTargets
            {
                HasLibTable = _lib is not null,
                LibName = _lib?.Name,
                LibPath = _lib?.Path,
                AutoLib = package.AutoLib,
                AutoBins = package.AutoBins,
                Bins = _bins,
            },
        };
    }

    private List<ManifestDependency> CollectDependencies()
    {
        var all = new List<ManifestDependency>();
        _dependencies.AppendTo(all);
        foreach (var platform in _platforms)
            platform.AppendTo(all);
        return all;
    }

    private void Take(TomlEntry entry, ManifestShape shape)
    {
        switch (entry.Key)
        {
            case "package":
                _package = PackageTable.Read(entry.Value, entry.Value.Span, shape);
                break;
            case "target":
                _platforms = DependencyTables.ReadTargets(entry.Value, shape);
                break;
            case "features":
                _features = ReadFeatures(entry.Value, shape);
                break;
            case "patch":
                _patches = DependencyTables.ReadPatch(entry.Value, shape);
                break;
            case "lib":
                _lib = TargetTables.Read(entry.Value, shape);
                break;
            case "bin":
                _bins = TargetTables.ReadAll(entry.Value, shape);
                break;
            case "example" or "test" or "bench":
                TargetTables.ReadAll(entry.Value, shape);
                break;
        }
    }

    private static List<KeyValuePair<string, IReadOnlyList<string>>> ReadFeatures(TomlValue value, ManifestShape shape)
    {
        var features = new List<KeyValuePair<string, IReadOnlyList<string>>>();
        if (shape.Table(value, "a map") is not { } table)
            return features;
        for (var at = 0; at < table.Count; at++)
            features.Add(new(table[at].Key, shape.Texts(table[at].Value)));
        features.Sort(static (x, y) => Utf8Order.Instance.Compare(x.Key, y.Key));
        return features;
    }
}
