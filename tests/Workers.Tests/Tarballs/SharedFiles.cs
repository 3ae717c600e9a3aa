using System.Text.Json.Nodes;

namespace Pipeline.Workers.Tests.Tarballs;

/// <summary>The files that stand beside the repository: real crates and publish cases. Missing ones fail the test that asks.</summary>
internal static class SharedFiles
{
    private static readonly string Folder = FindFolder();

    public static string Crate(string file) => Path.Combine(Folder, "crates", file);

    public static IReadOnlyList<JsonObject> Crates() =>
        [.. JsonNode.Parse(File.ReadAllText(Crate("manifest.json")))!.AsArray().Select(n => n!.AsObject())];

    public static IReadOnlyList<JsonObject> PublishCases() =>
        [.. File.ReadLines(Path.Combine(Folder, "conformance", "publish-cases.jsonl")).Select(line => JsonNode.Parse(line)!.AsObject())];

    private static string FindFolder()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Pipeline.sln"))) folder = folder.Parent;
        return Path.GetFullPath(Path.Combine(folder?.FullName ?? throw new DirectoryNotFoundException("no folder with Pipeline.sln above the tests"), "..", "shared"));
    }
}
