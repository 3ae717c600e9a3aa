using System.Security.Cryptography;
using System.Text.Json;
using Pipeline.Contracts;
using Pipeline.Contracts.Index;
using Pipeline.Tests.Chaos.Workload;

namespace Pipeline.Tests.Chaos.Laws;

/// <summary>Compares what the clients were told with what stands in the registry, and its surfaces with each other: values in, breaches out.</summary>
internal static class LawCheck
{
    /// <summary>Every breach.</summary>
    public static IReadOnlyList<Breach> Check(
        IReadOnlyCollection<Upload> uploads, IReadOnlyDictionary<(string Name, string Version), bool> yanks, IReadOnlyCollection<string> wrong, Evidence evidence) =>
    [
        .. wrong.Distinct().Select(text => new Breach(Harm.Other, "the publisher is told the truth", text)),
        .. Accepted(uploads, evidence),
        .. Refused(uploads, evidence),
        .. Kept(uploads, evidence),
        .. Nothing(uploads, evidence),
        .. Yanked(yanks, evidence),
        .. Lines(uploads, evidence),
        .. Surfaces(evidence),
        .. Downloads(evidence),
        .. Commits(evidence),
        .. evidence.Waiting.Select(text => new Breach(Harm.Other, "everything comes to rest", text)),
        .. evidence.Failures.Select(text => new Breach(Harm.Other, "no failure stands open", text)),
    ];

    private static IEnumerable<Breach> Accepted(IReadOnlyCollection<Upload> uploads, Evidence evidence)
    {
        const string Law = "what was acknowledged exists exactly once";
        var rows = evidence.Versions.ToLookup(version => (version.Crate, version.Version));
        foreach (var crate in uploads.Where(upload => upload.Told == Told.Accepted).Select(upload => upload.Crate).Distinct())
        {
            var checksum = Sha256(crate.File);
            var found = rows[(crate.Name, crate.Version)].Where(version => version.Active).ToList();
            if (found.All(version => version.Checksum != checksum)) yield return new Breach(Harm.Loss, Law, $"{crate.Name} {crate.Version} was acknowledged and is not there");
            if (found.Count > 1) yield return new Breach(Harm.Duplicate, Law, $"{crate.Name} {crate.Version} is there {found.Count} times");
        }
    }

    private static IEnumerable<Breach> Refused(IReadOnlyCollection<Upload> uploads, Evidence evidence)
    {
        const string Law = "what was refused is nowhere";
        var there = evidence.Versions.Select(version => version.Checksum).ToHashSet();
        var maybe = uploads.Where(upload => upload.Told != Told.Refused).Select(upload => FileOf(upload)).ToHashSet();
        var lines = evidence.Served.Values.Concat(evidence.GitTree.Values).OfType<string>().SelectMany(Entries).Select(entry => entry.Checksum).ToHashSet();
        foreach (var upload in uploads.Where(upload => upload.Told == Told.Refused && upload.Crate.File.Length > 0))
        {
            var checksum = Sha256(upload.Crate.File);
            if (there.Contains(checksum) || lines.Contains(checksum)) yield return new Breach(Harm.Other, Law, $"{upload.Crate.Name} {upload.Crate.Version} was refused ({upload.Detail}) and is there");
        }

        foreach (var upload in uploads.Where(upload => upload.Told == Told.Refused && !maybe.Contains(FileOf(upload)) && evidence.Files.Contains(FileOf(upload))))
            yield return new Breach(Harm.Other, Law, $"{upload.Crate.Name} {upload.Crate.Version} was refused ({upload.Detail}) and its bytes are kept");
    }

    private static IEnumerable<Breach> Kept(IReadOnlyCollection<Upload> uploads, Evidence evidence)
    {
        foreach (var upload in uploads.Where(upload => upload.PublishId is not null))
        {
            var state = evidence.Publishes.GetValueOrDefault(upload.PublishId!);
            if (state is not ("accepted" or "rejected"))
                yield return new Breach(Harm.Loss, "answered means kept", $"{upload.Crate.Name} {upload.Crate.Version} was promised to be kept as {upload.PublishId}, which is {state ?? "not there"}");
        }
    }

    private static IEnumerable<Breach> Nothing(IReadOnlyCollection<Upload> uploads, Evidence evidence)
    {
        var known = uploads.Select(upload => (upload.Crate.Name, upload.Crate.Version, Sha256(upload.Crate.File))).ToHashSet();
        return evidence.Versions.Where(version => !known.Contains((version.Crate, version.Version, version.Checksum)))
            .Select(version => new Breach(Harm.Other, "nothing comes from nowhere", $"{version.Crate} {version.Version} with {version.Checksum} was sent by nobody"));
    }

    private static IEnumerable<Breach> Yanked(IReadOnlyDictionary<(string Name, string Version), bool> yanks, Evidence evidence)
    {
        var rows = evidence.Versions.ToLookup(version => (version.Crate, version.Version));
        return yanks.Where(yank => rows[yank.Key].Any(version => version.Yanked != yank.Value))
            .Select(yank => new Breach(Harm.Loss, "what was acknowledged exists exactly once", $"the last word on {yank.Key.Name} {yank.Key.Version} was yanked={yank.Value}, and it is not so"));
    }

    /// <summary>The lines against those that the generator wrote, which shares no code with the registry.</summary>
    private static IEnumerable<Breach> Lines(IReadOnlyCollection<Upload> uploads, Evidence evidence)
    {
        var yanked = evidence.Versions.Where(version => version.Yanked).Select(version => (version.Crate, version.Version)).ToHashSet();
        var found = evidence.Served.Values.OfType<string>().SelectMany(file => file.TrimEnd('\n').Split('\n')).ToLookup(line => line);
        foreach (var crate in uploads.Where(upload => upload.Told == Told.Accepted && upload.Crate.IndexLine.Length > 0).Select(upload => upload.Crate).Distinct())
        {
            var line = yanked.Contains((crate.Name, crate.Version)) ? crate.IndexLine.Replace("\"yanked\":false", "\"yanked\":true", StringComparison.Ordinal) : crate.IndexLine;
            if (!found[line].Any()) yield return new Breach(Harm.Loss, "what was acknowledged exists exactly once", $"the index has not the line of {crate.Name} {crate.Version}");
        }

        foreach (var (path, file) in evidence.Served)
        {
            foreach (var twice in Entries(file ?? "").GroupBy(entry => entry.Version).Where(group => group.Count() > 1))
                yield return new Breach(Harm.Duplicate, "what was acknowledged exists exactly once", $"{path} names {twice.Key} {twice.Count()} times");
        }
    }

    private static IEnumerable<Breach> Surfaces(Evidence evidence)
    {
        const string Law = "git tree = sparse files = rendering of the database";
        var truth = evidence.Rendered.ToDictionary(file => IndexPath.Of(file.Key), file => (string?)file.Value, StringComparer.Ordinal);
        return Differences("the object store", evidence.Sparse.ToDictionary(file => file.Key, file => (string?)file.Value, StringComparer.Ordinal))
            .Concat(Differences("the git index", evidence.GitTree.ToDictionary(file => file.Key, file => (string?)file.Value, StringComparer.Ordinal)))
            .Concat(Differences("the sparse index", evidence.Served))
            .Concat(Differences("the cache", evidence.Cached));

        IEnumerable<Breach> Differences(string surface, IReadOnlyDictionary<string, string?> files)
        {
            foreach (var path in truth.Keys.Concat(files.Keys).Distinct())
            {
                if (truth.GetValueOrDefault(path) is var wanted && files.GetValueOrDefault(path) is var found && wanted != found)
                    yield return new Breach(Harm.Other, Law, $"{surface} shows {path} with {Count(found)} lines where the database has {Count(wanted)}{(Count(found) == Count(wanted) ? ", not the same" : "")}");
            }
        }

        static int Count(string? file) => file?.Count(letter => letter == '\n') ?? 0;
    }

    private static IEnumerable<Breach> Downloads(Evidence evidence) =>
        from file in evidence.Served
        from entry in Entries(file.Value ?? "")
        let found = evidence.Downloads.GetValueOrDefault((entry.Crate, entry.Version))
        where found != entry.Checksum
        select new Breach(found is null ? Harm.Loss : Harm.Other, "what a line names can be downloaded", $"{entry.Crate} {entry.Version}: {(found is null ? "nothing is there" : "other bytes")}");

    private static IEnumerable<Breach> Commits(Evidence evidence)
    {
        var there = new HashSet<string>(StringComparer.Ordinal);
        var named = new HashSet<(string, string)>();
        foreach (var commit in evidence.Commits)
        {
            if (commit.Changes.Count == 0) yield return new Breach(Harm.Duplicate, "no commit without a difference", $"{commit.Id} `{commit.Subject}` changes nothing");
            // One commit may bring a crate together with what it needs.
            foreach (var (path, _, after) in commit.Changes)
            {
                var name = CanonicalName.Of(path[(path.LastIndexOf('/') + 1)..]).Text;
                if (after is null) there.Remove(name);
                else there.Add(name);
            }

            foreach (var (path, before, after) in commit.Changes.Where(_ => commit.ByRegistry))
            {
                if (path.EndsWith(".json", StringComparison.Ordinal)) continue;
                var old = Entries(before ?? "").Select(entry => entry.Version).ToHashSet();
                foreach (var entry in Entries(after ?? ""))
                {
                    named.Add((entry.Crate, entry.Version));
                    if (old.Contains(entry.Version)) continue;
                    foreach (var missing in entry.Needs.Where(need => need != entry.Crate && !there.Contains(CanonicalName.Of(need).Text)))
                        yield return new Breach(Harm.Other, "no commit names a dependency that neither it nor an earlier one has", $"{commit.Id} `{commit.Subject}` adds {entry.Version}, which needs {missing}");
                }
            }
        }

        foreach (var version in evidence.Versions.Where(version => version.Active && !named.Contains((version.Crate, version.Version))))
            yield return new Breach(Harm.Loss, "every change is in some commit", $"{version.Crate} {version.Version} is in none");
    }

    private static IEnumerable<Entry> Entries(string file)
    {
        foreach (var line in file.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            using var document = JsonDocument.Parse(line);
            var entry = document.RootElement;
            // What somebody else wrote into a file is no line of ours.
            if (!entry.TryGetProperty("vers", out var version)) continue;
            yield return new Entry(
                entry.GetProperty("name").GetString()!, version.GetString()!, entry.GetProperty("cksum").GetString()!,
                [.. entry.GetProperty("deps").EnumerateArray().Select(need => (need.TryGetProperty("package", out var package) ? package : need.GetProperty("name")).GetString()!)]);
        }
    }

    private static string FileOf(Upload upload) => $"{upload.Crate.Name}-{upload.Crate.Version}.crate";

    private static string Sha256(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    private sealed record Entry(string Crate, string Version, string Checksum, IReadOnlyList<string> Needs);
}
