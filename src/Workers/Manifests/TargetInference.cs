using System.Diagnostics.CodeAnalysis;
using Pipeline.Contracts;

namespace Pipeline.Workers.Manifests;

/// <summary>Infers library and binaries from what the manifest declares and which files the archive has (crates-io-behaviour §2.7).</summary>
public static class TargetInference
{
    private const string NoLibrary = "can't find library, rename file to `src/lib.rs` or specify lib.path";

    /// <summary>Infers the targets of a package.</summary>
    /// <param name="manifest">Its manifest.</param>
    /// <param name="files">
    /// The archive's entry paths relative to the package root, directories included. Only <c>src/*</c>, <c>src/bin/*</c> and
    /// <c>src/bin/*/main.rs</c> matter; a path that the manifest gives is not looked up.
    /// </param>
    /// <param name="targets">The targets on success.</param>
    /// <param name="reject">Otherwise: a <c>[lib]</c> table without a file for it.</param>
    /// <returns>Whether the targets could be inferred.</returns>
    public static bool TryInfer(
        Manifest manifest,
        IReadOnlyCollection<string> files,
        [NotNullWhen(true)] out InferredTargets? targets,
        [NotNullWhen(false)] out Reject? reject)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        ArgumentNullException.ThrowIfNull(files);
        var sources = new SourceTree(files);
        targets = null;
        reject = LacksLibraryFile(manifest, sources) ? ManifestReject.Because(NoLibrary) : null;
        if (reject is not null)
            return false;
        var declared = manifest.Targets;
        var hasLib = declared.HasLibTable || (declared.AutoLib is not false && sources.Has("lib.rs"));
        var libName = hasLib ? declared.LibName ?? manifest.Name.Replace('-', '_') : null;
        targets = new InferredTargets(hasLib, libName, BinNames(manifest, sources));
        return true;
    }

    // The 2015 edition looks for less by itself, and for the library in more places.
    private static bool IsLegacy(Manifest manifest) => manifest.Edition is null or "2015";

    private static bool LacksLibraryFile(Manifest manifest, SourceTree sources)
    {
        var declared = manifest.Targets;
        if (!declared.HasLibTable || declared.LibPath is not null || sources.Has("lib.rs"))
            return false;
        return !IsLegacy(manifest) || !sources.Has($"{declared.LibName ?? manifest.Name}.rs");
    }

    private static List<string> BinNames(Manifest manifest, SourceTree sources)
    {
        var declared = manifest.Targets.Bins;
        var found = sources.Bins(manifest.Name);
        var names = new List<string>();
        foreach (var (name, _) in declared)
        {
            if (name is not null)
                names.Add(name);
        }
        if (manifest.Targets.AutoBins ?? (!IsLegacy(manifest) || declared.Count == 0))
            AddUndeclared(names, declared, found);
        return names;
    }

    // A found binary is declared already if a declaration has its path, or has its name and leaves the path open.
    private static void AddUndeclared(List<string> names, IReadOnlyList<(string? Name, string? Path)> declared, List<(string Name, string Path)> found)
    {
        var firstByName = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, path) in found)
            firstByName.TryAdd(name, path);
        var taken = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (name, path) in declared)
        {
            if ((path ?? (name is null ? null : firstByName.GetValueOrDefault(name))) is { } declaredPath)
                taken.Add(declaredPath);
        }
        foreach (var (name, path) in found)
        {
            if (!taken.Contains(path))
                names.Add(name);
        }
    }
}
