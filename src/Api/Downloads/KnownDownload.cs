using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Microsoft.AspNetCore.Http;
using Pipeline.Api.Crates;
using Pipeline.Contracts;
using Pipeline.Registry.Options;
using Pipeline.Registry.Store;

namespace Pipeline.Api.Downloads;

/// <summary>A .crate file of a local version in force.</summary>
/// <param name="Key">Its key in the store.</param>
/// <param name="Checksum">What its bytes are.</param>
internal sealed record KnownDownload(string Key, string Checksum)
{
    private SmallFile? _small;

    /// <summary>Its strong tag.</summary>
    public string ETag { get; } = $"\"{Checksum}\"";

    /// <summary>The keys by which caches forget it.</summary>
    public string SurrogateKeys => field ??= string.Join(' ', ObjectHeaders.Of(Key).Tags);

    /// <summary>The file as it was when it was last opened; null: it is not small, or was not opened yet.</summary>
    public SmallFile? Small => Volatile.Read(ref _small);

    /// <summary>Notes what an opened file is.</summary>
    /// <param name="file">The opened file.</param>
    /// <param name="endpoint">Who answers for it, for metrics and traces.</param>
    public void Remember(StoredObject file, Endpoint? endpoint)
    {
        if (file.Length > SmallFile.Most || (Small is { } known && known.Identity == file.Identity)) return;
        Volatile.Write(ref _small, new SmallFile(file.Identity, (int)file.Length, file.ModifiedAt.UtcDateTime.ToString("R", CultureInfo.InvariantCulture), endpoint));
    }
}

/// <summary>A file that is read whole.</summary>
/// <param name="Identity">Which file it was.</param>
/// <param name="Length">Its bytes.</param>
/// <param name="LastModified">When it was written, as a header says it.</param>
/// <param name="Endpoint">Who answers for it.</param>
internal sealed record SmallFile(ObjectIdentity Identity, int Length, string LastModified, Endpoint? Endpoint)
{
    /// <summary>The most bytes: larger ones are sent piece by piece.</summary>
    public const int Most = 64 * 1024;
}

/// <summary>
/// The .crate files that were downloaded lately, by their paths: a download of one of them needs no look into the database. Only what it said is
/// remembered, not the bytes: the system has those in memory, and nothing here grows with them.
/// </summary>
public sealed class KnownDownloads(CrateChanges changes)
{
    // For some 30,000 files.
    private const long Capacity = 32L * 1024 * 1024;
    private const int Cost = 600;

    private readonly CrateMemory<KnownDownload> _memory = new(changes, Capacity);

    /// <summary>See <see cref="CrateChanges.Seen"/>.</summary>
    internal long Seen => changes.Seen;

    /// <summary>The <c>Cache-Control</c> of every .crate file.</summary>
    internal static string CacheControl(RegistryOptions options) => $"{(options.AuthRequired ? "private" : "public")},max-age=31536000,immutable";

    /// <summary>See <see cref="CrateChanges.CatchUpAsync"/>.</summary>
    internal ValueTask CatchUpAsync(CancellationToken cancellationToken = default) => changes.CatchUpAsync(cancellationToken);

    /// <summary>Finds a file by the path of a request, as of the last <see cref="CatchUpAsync"/>.</summary>
    internal bool TryGet(string path, [NotNullWhen(true)] out KnownDownload? file) => _memory.TryGet(path, out file);

    /// <summary>Remembers a file, unless something has changed since <see cref="Seen"/> was read.</summary>
    internal KnownDownload Keep(long seen, string name, string path, KnownDownload file)
    {
        _memory.Keep(seen, CanonicalName.Of(name).Text, path, file, Cost + (path.Length * 4));
        return file;
    }
}
