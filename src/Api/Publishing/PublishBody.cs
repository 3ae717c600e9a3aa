using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;

namespace Pipeline.Api.Publishing;

/// <summary>The body of a publish, read part by part: JSON length, JSON, tarball length, tarball (crates-io-behaviour §1.1).</summary>
internal sealed class PublishBody(PipeReader reader)
{
    /// <summary>Reads a little-endian u32; null: fewer than 4 bytes are left.</summary>
    public async ValueTask<uint?> ReadLengthAsync(CancellationToken cancellationToken)
    {
        var result = await reader.ReadAtLeastAsync(sizeof(uint), cancellationToken).ConfigureAwait(false);
        if (result.Buffer.Length < sizeof(uint))
        {
            GiveBack(result);
            return null;
        }

        var length = Length(result.Buffer.Slice(0, sizeof(uint)));
        reader.AdvanceTo(result.Buffer.GetPosition(sizeof(uint)));
        return length;
    }

    /// <summary>Reads a part that the caller has bounded; null: the body ends before it does.</summary>
    public async ValueTask<byte[]?> ReadAsync(int length, CancellationToken cancellationToken)
    {
        var result = await reader.ReadAtLeastAsync(length, cancellationToken).ConfigureAwait(false);
        if (result.Buffer.Length < length)
        {
            GiveBack(result);
            return null;
        }

        var part = result.Buffer.Slice(0, length).ToArray();
        reader.AdvanceTo(result.Buffer.GetPosition(length));
        return part;
    }

    /// <summary>The rest of the body as a stream that counts and hashes what is read.</summary>
    public HashingStream Rest() => new(reader.AsStream(leaveOpen: true));

    // A read left open would end the connection, and with it the client's next request.
    private void GiveBack(ReadResult result) => reader.AdvanceTo(result.Buffer.End);

    private static uint Length(ReadOnlySequence<byte> bytes)
    {
        Span<byte> copy = stackalloc byte[sizeof(uint)];
        bytes.CopyTo(copy);
        return BinaryPrimitives.ReadUInt32LittleEndian(copy);
    }
}
