namespace Pipeline.Cli.Importing;

/// <summary>One file to import.</summary>
/// <param name="Path">Where it is.</param>
/// <param name="Name">The crate's name; empty while the file was not looked into.</param>
/// <param name="Version">The version; empty likewise.</param>
/// <param name="Requires">The crates that the registry must know before it: normal and build dependencies.</param>
/// <param name="RequiresForTests">Likewise its dev dependencies, among which circles are common.</param>
internal sealed record ImportItem(string Path, string Name, string Version, IReadOnlyList<string> Requires, IReadOnlyList<string> RequiresForTests)
{
    /// <summary>A file not looked into.</summary>
    public static ImportItem Unread(string path) => new(path, "", "", [], []);

    /// <summary>A file with what its publish JSON says.</summary>
    public static ImportItem Of(string path, PublishJson json)
    {
        var here = json.Dependencies.Where(dependency => dependency.IsHere).ToLookup(dependency => dependency.Kind == Contracts.DependencyKind.Dev, dependency => dependency.Name);
        return new ImportItem(path, json.Name, json.Version, [.. here[false].Distinct()], [.. here[true].Distinct()]);
    }
}
