using Pipeline.Workers.Manifests.Toml;

namespace Pipeline.Workers.Manifests;

/// <summary>The <c>[package]</c> table as read, before the rules of crates-io-behaviour §2.6.</summary>
internal sealed class PackageTable
{
    /// <summary><c>name</c>.</summary>
    public string? Name { get; private set; }

    /// <summary>Whether <c>version</c> is there, be it inherited.</summary>
    public bool HasVersion { get; private set; }

    /// <summary>Whether a field says <c>workspace = true</c> instead of its value.</summary>
    public bool Inherits { get; private set; }

    /// <summary><c>version</c>.</summary>
    public string? Version { get; private set; }

    /// <summary><c>edition</c>.</summary>
    public string? Edition { get; private set; }

    /// <summary><c>rust-version</c>.</summary>
    public string? RustVersion { get; private set; }

    /// <summary><c>description</c>.</summary>
    public string? Description { get; private set; }

    /// <summary><c>homepage</c>.</summary>
    public string? Homepage { get; private set; }

    /// <summary><c>documentation</c>.</summary>
    public string? Documentation { get; private set; }

    /// <summary><c>repository</c>.</summary>
    public string? Repository { get; private set; }

    /// <summary><c>license</c>.</summary>
    public string? License { get; private set; }

    /// <summary><c>license-file</c>.</summary>
    public string? LicenseFile { get; private set; }

    /// <summary><c>links</c>.</summary>
    public string? Links { get; private set; }

    /// <summary><c>keywords</c>.</summary>
    public IReadOnlyList<string> Keywords { get; private set; } = [];

    /// <summary><c>categories</c>.</summary>
    public IReadOnlyList<string> Categories { get; private set; } = [];

    /// <summary><c>autolib</c>.</summary>
    public bool? AutoLib { get; private set; }

    /// <summary><c>autobins</c>.</summary>
    public bool? AutoBins { get; private set; }

    /// <summary>Reads the table; unknown keys are passed over.</summary>
    /// <param name="value">The value of <c>package</c>, or what stands in for it.</param>
    /// <param name="missingAt">Where a missing <c>name</c> is reported; null for a manifest without the header.</param>
    /// <param name="shape">Gets the first mismatch.</param>
    public static PackageTable Read(TomlValue value, TomlSpan? missingAt, ManifestShape shape)
    {
        var package = new PackageTable();
        if (shape.Table(value, "struct Package") is not { } table)
            return package;
        for (var at = 0; at < table.Count; at++)
            package.Take(table[at], shape);
        if (package.Name is null)
            shape.Fail("missing field `name`", missingAt);
        return package;
    }

    private void Take(TomlEntry entry, ManifestShape shape)
    {
        switch (entry.Key)
        {
            case "name":
                Name = shape.Text(entry.Value);
                break;
            case "links":
                Links = shape.Text(entry.Value);
                break;
            case "build":
                shape.TextOrFlag(entry.Value);
                break;
            case "autolib":
                AutoLib = shape.Flag(entry.Value);
                break;
            case "autobins":
                AutoBins = shape.Flag(entry.Value);
                break;
            case "autoexamples" or "autotests" or "autobenches":
                shape.Flag(entry.Value);
                break;
            default:
                TakeInheritable(entry, shape);
                break;
        }
    }

    private void TakeInheritable(TomlEntry entry, ManifestShape shape)
    {
        if (entry.Key == "version")
            HasVersion = true;
        if (IsInheritable(entry.Key) && DependencyTables.SaysWorkspace(entry.Value))
            Inherits = true;
        else
            TakeLocal(entry, shape);
    }

    private static bool IsInheritable(string key) => key is
        "version" or "edition" or "rust-version" or "authors" or "description" or "homepage" or "documentation" or "readme"
        or "keywords" or "categories" or "license" or "license-file" or "repository";

    private void TakeLocal(TomlEntry entry, ManifestShape shape)
    {
        var value = entry.Value;
        switch (entry.Key)
        {
            case "version":
                Version = shape.Text(value);
                break;
            case "edition":
                Edition = shape.Edition(value);
                break;
            case "rust-version":
                RustVersion = shape.Text(value);
                break;
            case "description":
                Description = shape.Text(value);
                break;
            case "homepage":
                Homepage = shape.Text(value);
                break;
            case "documentation":
                Documentation = shape.Text(value);
                break;
            case "repository":
                Repository = shape.Text(value);
                break;
            case "license":
                License = shape.Text(value);
                break;
            case "license-file":
                LicenseFile = shape.Text(value);
                break;
            case "keywords":
                Keywords = shape.Texts(value);
                break;
            case "categories":
                Categories = shape.Texts(value);
                break;
            case "authors":
                shape.Texts(value);
                break;
            case "readme":
                shape.TextOrFlag(value);
                break;
        }
    }
}
