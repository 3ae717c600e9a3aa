using System.Text;
using Pipeline.Contracts;

namespace Pipeline.Workers.Tarballs;

/// <summary>
/// Reads an uploaded archive once, from front to back, and says what is in it and what is wrong with it: the checks of
/// crates-io-behaviour §2.1 to §2.4, per entry, in archive order, the first failure ends them. What is wrong is a value;
/// exceptions are only those of the stream and of cancellation. Time is linear in the bytes, memory below 16 MiB.
/// </summary>
public static class TarballReader
{
    /// <summary>Reads all bytes of the stream, which stays open.</summary>
    /// <param name="compressed">The archive, gzip; only read forward.</param>
    /// <param name="rules">What it is held against.</param>
    /// <param name="cancellation">Looked at every 64 KiB of compressed bytes and at every entry.</param>
    public static TarballFacts Read(Stream compressed, TarballRules rules, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(compressed);
        ArgumentNullException.ThrowIfNull(rules);
        using var source = new CompressedSource(compressed, cancellation);
        using var member = new GzipMember(source);
        using var input = new UnpackedInput(member, rules.EffectiveUnpackLimit);
        using var walker = new TarWalker(input);
        return new Reading(walker, rules).ToEnd(source, cancellation);
    }

    /// <summary>The state of one reading.</summary>
    private sealed class Reading(TarWalker walker, TarballRules rules)
    {
        private readonly byte[] root = Encoding.UTF8.GetBytes(rules.PackageRoot);
        private readonly SourceFiles files = new();
        private readonly List<ManifestFile> manifests = [];
        private int manifestBytes;
        private int entries;
        private string? pathInVcs;

        public TarballFacts ToEnd(CompressedSource source, CancellationToken cancellation)
        {
            var (problem, at) = Walk(cancellation);
            return new TarballFacts
            {
                Checksum = source.Finish(),
                Size = source.Size,
                EntryCount = entries,
                UnpackedSize = (long)walker.ContentBytes,
                Problem = problem,
                ProblemAt = at,
                Manifests = manifests,
                Files = files.Paths,
                PathInVcs = pathInVcs,
            };
        }

        private (Reject? Problem, int At) Walk(CancellationToken cancellation)
        {
            while (true)
            {
                cancellation.ThrowIfCancellationRequested();
                var step = walker.Next();
                if (step == Step.Malformed) return (TarballRejects.Malformed, entries + 1);
                if (step == Step.End) break;
                entries++;
                if (Check() is { } problem) return (problem, entries);
            }
            return CheckManifestNames() is { } last ? (last, TarballFacts.AfterLastEntry) : (null, 0);
        }

        /// <summary>Rows 2 to 10 of §2.3 for one entry.</summary>
        private Reject? Check()
        {
            if (entries > rules.MaxEntries) return TarballRejects.TooManyEntries(rules.MaxEntries.Value);
            if (!walker.HasOneSize) return TarballRejects.PaxSize;
            if (!EntryPath.TryEnter(walker.Path, root, out var inside)) return TarballRejects.InvalidPath(walker.Path);
            if (walker.Type is not ((byte)'0' or 0 or (byte)'5')) return TarballRejects.UnexpectedType(walker.Type, walker.Path);

            var components = new PathComponents(inside);
            if (!components.MoveNext()) return null;
            var name = components.Current;
            if (components.MoveNext()) return files.TryAdd(name, components) ? null : TarballRejects.TooManySourceFiles;
            if (Ascii.EqualsIgnoreCase(name, "cargo.toml"u8)) return ReadManifest(name);
            return name.SequenceEqual(".cargo_vcs_info.json"u8) ? ReadVcsInfo() : null;
        }

        private Reject? ReadManifest(ReadOnlySpan<byte> name)
        {
            if (manifests.Count == TarballBounds.Manifests) return TarballRejects.TooManyManifestFiles;
            if (walker.Size > (ulong)(TarballBounds.ManifestBytes - manifestBytes)) return TarballRejects.ManifestsTooLarge;
            using var buffer = new PooledBuffer((int)walker.Size);
            if (ReadText(buffer.Span, out var text) is { } problem) return problem;
            manifestBytes += text.Length;
            manifests.Add(new ManifestFile(Encoding.ASCII.GetString(name), entries, Encoding.UTF8.GetString(text)));
            return null;
        }

        private Reject? ReadVcsInfo()
        {
            pathInVcs = null;
            if (walker.Size > TarballBounds.VcsInfoBytes) return null;
            using var buffer = new PooledBuffer((int)walker.Size);
            if (ReadText(buffer.Span, out var json) is { } problem) return problem;
            pathInVcs = VcsInfo.ReadPath(json);
            return null;
        }

        /// <summary>
        /// Row 10. Where the archive ends within the content, what there is of it counts and the next step reports the end:
        /// that is the order in which crates.io notices.
        /// </summary>
        private Reject? ReadText(Span<byte> buffer, out ReadOnlySpan<byte> text)
        {
            var filling = walker.ReadContent(buffer, out var count);
            text = buffer[..count];
            return filling switch
            {
                Filling.Broken => TarballRejects.Malformed,
                Filling.Limit => TarballRejects.LimitInside(walker.Path),
                _ => System.Text.Unicode.Utf8.IsValid(text) ? null : TarballRejects.NotUtf8(walker.Path),
            };
        }

        /// <summary>§2.4, the part that needs no parsed manifest.</summary>
        private Reject? CheckManifestNames()
        {
            var names = manifests.Select(m => m.Name).Distinct().Order(StringComparer.Ordinal).ToArray();
            return names switch
            {
                [] => TarballRejects.MissingManifest,
                ["Cargo.toml" or "cargo.toml"] => null,
                [var other] => TarballRejects.WronglyCased(other),
                _ => TarballRejects.TooManyManifests(names),
            };
        }
    }
}
