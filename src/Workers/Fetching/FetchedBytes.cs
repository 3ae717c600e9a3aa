using System.Security.Cryptography;
using Pipeline.Registry.Failures;

namespace Pipeline.Workers.Fetching;

/// <summary>
/// The bytes of a file while they come in, hashed on the way: in memory when they are few, else in a file without a name. They stand nowhere
/// else before they are known to be the right ones.
/// </summary>
internal sealed class FetchedBytes : IDisposable
{
    // Below what the garbage collector counts as large.
    private const int LargestInMemory = 80 * 1024;

    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private Stream _content = new MemoryStream();

    /// <summary>How many there are.</summary>
    public long Length { get; private set; }

    /// <summary>Adds some.</summary>
    /// <exception cref="TransientException">The folder for temporary files cannot be written to.</exception>
    public void Add(ReadOnlySpan<byte> bytes)
    {
        try
        {
            if (_content is MemoryStream small && Length + bytes.Length > LargestInMemory) _content = Moved(small);
            _content.Write(bytes);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new TransientException("temporary-folder", "the folder for temporary files cannot be written to", e);
        }

        _hash.AppendData(bytes);
        Length += bytes.Length;
    }

    /// <summary>Their SHA-256 in lower-case hex; none are added afterwards.</summary>
    public string Finish() => Convert.ToHexStringLower(_hash.GetHashAndReset());

    /// <summary>They, from the first one; the stream stays this object's.</summary>
    public Stream FromStart()
    {
        _content.Position = 0;
        return _content;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _content.Dispose();
        _hash.Dispose();
    }

    private static FileStream Moved(MemoryStream small)
    {
        var path = Path.Combine(Path.GetTempPath(), $"pipeline-{Guid.NewGuid():n}");
        var file = new FileStream(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, bufferSize: 0);
        // Without a name nothing is left behind, however the process ends.
        File.Delete(path);
        small.WriteTo(file);
        small.Dispose();
        return file;
    }
}
