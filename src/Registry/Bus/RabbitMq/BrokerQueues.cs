using MassTransit;
using Pipeline.Registry.Failures;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace Pipeline.Registry.Bus.RabbitMq;

/// <summary>What is asked of the broker beside the bus: how deep a queue is, and the messages that nobody can read.</summary>
public sealed class BrokerQueues(RabbitMqAddress address) : IAsyncDisposable
{
    private const int NotFound = 404;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private static readonly KebabCaseEndpointNameFormatter Names = new(false);

    private readonly SemaphoreSlim _gate = new(1);
    private IConnection? _connection;

    /// <summary>The queue of a message.</summary>
    public static string NameOf(Type message)
    {
        ArgumentNullException.ThrowIfNull(message);
        return Names.SanitizeName(message.Name);
    }

    /// <summary>How many messages wait in a queue; 0 where there is none yet.</summary>
    /// <exception cref="TransientException">The broker does not answer.</exception>
    public Task<int> DepthAsync(string queue) => UseAsync(0, async (channel, cancellationToken) =>
        (int)(await channel.QueueDeclarePassiveAsync(queue, cancellationToken).ConfigureAwait(false)).MessageCount);

    /// <summary>Sends a message to nobody and waits until the broker has confirmed it: one that is short of memory or disk answers, and confirms nothing.</summary>
    /// <exception cref="TransientException">The broker does not take messages.</exception>
    public Task ProbeAsync() => UseAsync(
        true,
        static async (channel, cancellationToken) =>
        {
            await channel.BasicPublishAsync(exchange: "", routingKey: "nobody", mandatory: false, ReadOnlyMemory<byte>.Empty, cancellationToken).ConfigureAwait(false);
            return true;
        },
        new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true));

    /// <summary>Takes what waits in a queue, oldest first: each message leaves it once the handler has returned.</summary>
    /// <param name="queue">The queue; none there is fine.</param>
    /// <param name="most">The most messages.</param>
    /// <param name="handle">Keeps one message.</param>
    /// <returns>How many there were.</returns>
    /// <exception cref="TransientException">The broker does not answer.</exception>
    public Task<int> TakeAsync(string queue, int most, Func<BasicGetResult, ValueTask> handle) => UseAsync(0, async (channel, cancellationToken) =>
    {
        ArgumentNullException.ThrowIfNull(handle);
        var taken = 0;
        while (taken < most && await channel.BasicGetAsync(queue, autoAck: false, cancellationToken).ConfigureAwait(false) is { } message)
        {
            await handle(message).ConfigureAwait(false);
            await channel.BasicAckAsync(message.DeliveryTag, multiple: false, cancellationToken).ConfigureAwait(false);
            taken++;
        }

        return taken;
    });

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_connection is not null) await _connection.DisposeAsync().ConfigureAwait(false);
        _gate.Dispose();
    }

    private async Task<T> UseAsync<T>(T absent, Func<IChannel, CancellationToken, Task<T>> use, CreateChannelOptions? options = null)
    {
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            var connection = await ConnectAsync(patience.Token).ConfigureAwait(false);
            // Asking for a queue that is not there closes the channel, so each use has its own.
            var channel = await connection.CreateChannelAsync(options, patience.Token).ConfigureAwait(false);
            await using (channel.ConfigureAwait(false)) return await use(channel, patience.Token).ConfigureAwait(false);
        }
        catch (OperationInterruptedException e) when (e.ShutdownReason?.ReplyCode == NotFound)
        {
            return absent;
        }
        catch (Exception e) when (e is RabbitMQClientException or IOException or OperationCanceledException or TimeoutException or ObjectDisposedException)
        {
            throw new TransientException("broker-away", "the message broker does not answer", e);
        }
    }

    private async Task<IConnection> ConnectAsync(CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_connection is { IsOpen: true }) return _connection;
            if (_connection is not null) await _connection.DisposeAsync().ConfigureAwait(false);
            _connection = null;
            var factory = new ConnectionFactory
            {
                HostName = address.Endpoint.Host,
                Port = address.Endpoint.Port,
                VirtualHost = address.VirtualHost,
                UserName = address.User,
                Password = address.Password.Reveal(),
                Ssl = new SslOption(address.Endpoint.Host, enabled: address.UseTls),
                RequestedConnectionTimeout = Patience,
                // A lost connection is replaced at the next use.
                AutomaticRecoveryEnabled = false,
            };
            return _connection = await factory.CreateConnectionAsync("pipeline queues", cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _gate.Release();
        }
    }
}
