using Pipeline.Api.Http;
using Pipeline.Registry.Failures;

namespace Pipeline.Api.Publishing;

/// <summary>
/// What all publishes together hold in memory of their metadata, from the first byte until it stands in the database. Nobody has been asked
/// who publishes before it is read (crates-io-behaviour §1.4), so most of the room is only for those who have a token: strangers cannot
/// keep them out. A small .crate that is to be kept in the database comes to memory too, of those who have a token.
/// </summary>
internal sealed class MetadataRoom
{
    private const long Most = 64L << 20;
    private const long KeptBack = 48L << 20;

    private readonly ByteBudget _budget = new(Most);

    /// <summary>Bytes held now.</summary>
    public long Taken => _budget.Taken;

    /// <summary>Takes room for some more bytes.</summary>
    /// <param name="bytes">How many.</param>
    /// <param name="isKnown">Whether whoever publishes has a token; asked only when there is little room left.</param>
    public async ValueTask<bool> TryTakeAsync(long bytes, Func<ValueTask<bool>> isKnown) =>
        _budget.TryTake(bytes, KeptBack) || (await isKnown().ConfigureAwait(false) && _budget.TryTake(bytes));

    /// <summary>Gives room back.</summary>
    public void Return(long bytes) => _budget.Return(bytes);
}

/// <summary>What one publish holds of it. It is given back when this is disposed.</summary>
/// <param name="room">The room of all.</param>
/// <param name="isKnown">Whether whoever publishes has a token.</param>
internal sealed class HeldMetadata(MetadataRoom room, Func<ValueTask<bool>> isKnown) : IDisposable
{
    /// <summary>The code of the refusal for want of room.</summary>
    public const string NoRoom = "metadata-full";

    private long _held;

    /// <summary>How much that is.</summary>
    public long Bytes => _held;

    /// <summary>Holds so many bytes in all.</summary>
    /// <exception cref="TransientException">There is no room for them just now.</exception>
    public async ValueTask HoldAsync(long bytes)
    {
        if (bytes <= _held) return;
        if (!await room.TryTakeAsync(bytes - _held, isKnown).ConfigureAwait(false)) throw new TransientException(NoRoom, "too many publishes are being received; try again later");
        _held = bytes;
    }

    /// <inheritdoc/>
    public void Dispose() => room.Return(Interlocked.Exchange(ref _held, 0));
}
