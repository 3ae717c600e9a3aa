using Amazon.S3.Model;

namespace Pipeline.Registry.Store;

/// <summary>The body of an answer. A server that stops sending, or ends too early, shows as a transient failure and never as a short object.</summary>
internal sealed class S3ReadStream(GetObjectResponse answer, TimeSpan timeout, string what) : ReadOnlyStream
{
    // Bounded by the receive timeout of the socket.
    public override int Read(Span<byte> buffer)
    {
        try
        {
            return answer.ResponseStream.Read(buffer);
        }
        catch (Exception e) when (S3Calls.Translate(e, what) is { } failure)
        {
            throw failure;
        }
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(timeout);
        try
        {
            return await answer.ResponseStream.ReadAsync(buffer, patience.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested && S3Calls.Translate(e, what) is { } failure)
        {
            throw failure;
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) answer.Dispose();
        base.Dispose(disposing);
    }
}
