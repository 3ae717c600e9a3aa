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
    /// <exception cref="Registry.Failures.TransientException">All publishes together hold too much already.</exception>
    public async ValueTask<byte[]?> ReadAsync(int length, HeldMetadata held, CancellationToken cancellationToken)
    {
        var before = held.Bytes;
        while (true)
        {
            var result = await reader.ReadAsync(cancellationToken).ConfigureAwait(false);
            // What has come counts, not what was announced: a claim alone takes nobody's room.
            var isHeld = false;
            try
            {
                await held.HoldAsync(before + Math.Min(result.Buffer.Length, length)).ConfigureAwait(false);
                isHeld = true;
            }
            finally
            {
                if (!isHeld) GiveBack(result);
            }

            if (result.Buffer.Length >= length)
            {
                var part = result.Buffer.Slice(0, length).ToArray();
                reader.AdvanceTo(result.Buffer.GetPosition(length));
                return part;
            }

            if (result.IsCompleted)
            {
                GiveBack(result);
                return null;
            }

            reader.AdvanceTo(result.Buffer.Start, result.Buffer.End);
        }
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
