using MassTransit;
using Microsoft.Extensions.Logging;
using Pipeline.Contracts.Upkeep;

namespace Pipeline.Registry.Bus;

/// <summary>Bells as messages in memory. What finds no room is dropped: the row is enough.</summary>
public sealed class InMemoryDoorbell(IBus bus, StageGauges gauges, ILogger<InMemoryDoorbell> logger) : IDoorbell
{
    /// <inheritdoc/>
    public bool HasRoom<T>()
        where T : class => gauges.Of(typeof(T)).HasRoom();

    /// <inheritdoc/>
    public async ValueTask RingAsync<T>(T bell)
        where T : class
    {
        var gauge = gauges.Of(typeof(T));
        // Keyless bells coalesce; the others were asked for room before, and a few over the bound do no harm.
        if (gauge.Capacity == 1 && gauge.Waiting > 0) return;
        gauge.Enter();
        try
        {
            await bus.Publish(bell).ConfigureAwait(false);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            gauge.Leave();
            logger.LogWarning(e, "bell lost, the sweep will ring again: {Bell}", typeof(T).Name);
        }
    }

    /// <inheritdoc/>
    public ValueTask<QueueLevel?> LevelAsync(Type message)
    {
        var gauge = gauges.Of(message);
        return ValueTask.FromResult<QueueLevel?>(new QueueLevel(gauge.Waiting, gauge.Capacity));
    }

    /// <inheritdoc/>
    public void Swept(Type message, bool all)
    {
        var gauge = gauges.Of(message);
        if (all) gauge.CaughtUp();
        else gauge.FellBehind();
    }

    /// <inheritdoc/>
    public ValueTask TakenAsync(Type message) => gauges.Of(message).Leave() ? RingAsync(new Sweep()) : ValueTask.CompletedTask;
}
