using System.Buffers;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;
using Pipeline.Contracts;
using Pipeline.Registry.Failures;

namespace Pipeline.Registry.Store;

/// <summary>
/// A content on its way to the store, hashed while it was collected: in memory when small, else in a file without a name. The SDK signs
/// a body only by reading it twice (a body that cannot be read twice it sends in signed chunks, which Ceph serves as
/// <c>Content-Encoding: aws-chunked</c>, and an unsigned one over TLS alone), and a try that failed needs it again. So memory stays
/// bounded by this, whatever the limit of a crate file is.
/// </summary>
internal sealed class Spool : IDisposable
{
    /// <summary>The most that is kept in memory, below what the garbage collector counts as large: most crate files, all records, most index files.</summary>
    public const int LargestInMemory = 80 * 1024;

    private readonly ArraySegment<byte> _bytes;
    private readonly SafeFileHandle? _file;

    private Spool(ArraySegment<byte> bytes, SafeFileHandle? file, long length, Checksum checksum) => (_bytes, _file, Length, Checksum) = (bytes, file, length, checksum);

    /// <summary>How many bytes they are.</summary>
    public long Length { get; }

    /// <summary>Their SHA-256.</summary>
    public Checksum Checksum { get; }

    /// <summary>Takes bytes that are in memory already.</summary>
    public static Spool Of(ReadOnlyMemory<byte> content)
    {
        if (!MemoryMarshal.TryGetArray(content, out var bytes)) bytes = content.ToArray();
        return new Spool(bytes, null, content.Length, Checksum.OfContent(content.Span));
    }

    /// <summary>Collects the next bytes of a stream.</summary>
    /// <exception cref="EndOfStreamException">They are fewer.</exception>
    public static async ValueTask<Spool> ReadAsync(Stream content, long length, string folder, CancellationToken cancellationToken)
    {
        if (length > LargestInMemory) return await ReadIntoFileAsync(content, length, folder, cancellationToken).ConfigureAwait(false);
        // No pooled buffer: a request that was given up may still be reading from it.
        var bytes = new byte[length];
        await content.ReadExactlyAsync(bytes, cancellationToken).ConfigureAwait(false);
        return Of(bytes);
    }

    /// <summary>The content from its start.</summary>
    public Stream Open() => _file is null ? new MemoryStream(_bytes.Array!, _bytes.Offset, _bytes.Count, writable: false) : new SpoolFileStream(_file, Length);

    /// <inheritdoc/>
    public void Dispose() => _file?.Dispose();

    private static async ValueTask<Spool> ReadIntoFileAsync(Stream content, long length, string folder, CancellationToken cancellationToken)
    {
        var file = CreateNameless(folder);
        var buffer = ArrayPool<byte>.Shared.Rent(LargestInMemory);
        try
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            for (long done = 0; done < length;)
            {
                var read = await content.ReadAsync(buffer.AsMemory(0, (int)Math.Min(length - done, buffer.Length)), cancellationToken).ConfigureAwait(false);
                if (read == 0) throw new EndOfStreamException();
                hash.AppendData(buffer, 0, read);
                Write(file, buffer.AsSpan(0, read), done);
                done += read;
            }

            return new Spool(default, file, length, Checksum.FromBytes(hash.GetHashAndReset()));
        }
        catch
        {
            file.Dispose();
            throw;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static SafeFileHandle CreateNameless(string folder)
    {
        try
        {
            var path = Path.Combine(folder, $"pipeline-{Guid.NewGuid():n}");
            var file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite);
            // Without a name nothing is left behind, however the process ends.
            File.Delete(path);
            return file;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unusable(e);
        }
    }

    private static void Write(SafeFileHandle file, ReadOnlySpan<byte> bytes, long offset)
    {
        try
        {
            RandomAccess.Write(file, bytes, offset);
        }
        catch (IOException e)
        {
            throw Unusable(e);
        }
    }

    private static TransientException Unusable(Exception e) => new("temporary-folder", "the folder for temporary files cannot be written to", e);
}
