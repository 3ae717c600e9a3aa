using System.ComponentModel.DataAnnotations;
using Pipeline.Contracts;

namespace Pipeline.Registry.Bus;

/// <summary>Which bus rings the bells. Section <c>Bus</c>.</summary>
public sealed record BusOptions
{
    /// <summary>An AMQP URL, <c>amqp://user:password@host:port/vhost</c> or <c>amqps://…</c>: RabbitMQ. None: in memory, within this process.</summary>
    public Secret? RabbitMq { get; init; }

    /// <summary>How many nodes of a RabbitMQ cluster keep each queue; none: as many as the cluster decides.</summary>
    [Range(1, 99)]
    public int? QuorumSize { get; init; }

    /// <summary>The most bells a queue of the broker holds; further ones are refused and left to the sweep.</summary>
    [Range(1, int.MaxValue)]
    public int BrokerCapacity { get; init; } = 100_000;

    /// <summary>How many seconds a bell may take to the broker before it is given up; the sweep rings again.</summary>
    [Range(0.01, 3600.0)]
    public double RingSeconds { get; init; } = 2;
}
