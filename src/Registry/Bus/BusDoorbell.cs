using MassTransit;
using Microsoft.Extensions.Logging;

namespace Pipeline.Registry.Bus;

/// <summary>Bells as MassTransit messages. A full queue or a broker that is away drops the bell: the row is enough.</summary>
public sealed class BusDoorbell(IBus bus, StageGauges gauges, ILogger<BusDoorbell> logger) : IDoorbell
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
}
