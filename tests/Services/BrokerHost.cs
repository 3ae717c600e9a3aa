using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace Pipeline.Tests.Services;

/// <summary>
/// A virtual host of the test's own on the shared broker, seen through its management API. At the end no queue of a stage may hold a message
/// that the test did not speak of.
/// </summary>
public sealed class BrokerHost : IAsyncDisposable
{
    private readonly HttpClient _http;
    private readonly HashSet<string> _mayHold = [];

    private BrokerHost(HttpClient http, string name, string url)
    {
        _http = http;
        Name = name;
        Url = url;
    }

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>The AMQP URL, with user and password.</summary>
    public string Url { get; }

    /// <summary>Makes one.</summary>
    public static async Task<BrokerHost> CreateAsync(RealServices services)
    {
        var management = new Uri(services["RABBITMQ_MANAGEMENT"]);
        var http = new HttpClient { BaseAddress = new Uri(management.GetLeftPart(UriPartial.Authority).Replace(management.UserInfo + "@", "", StringComparison.Ordinal)) };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(management.UserInfo)));
        var name = $"test-{Guid.NewGuid():N}";
        using var made = await http.PutAsync(new Uri($"/api/vhosts/{name}", UriKind.Relative), null);
        made.EnsureSuccessStatusCode();
        return new BrokerHost(http, name, services["PIPELINE__Bus__RabbitMq"] + name);
    }

    /// <summary>Says that the test leaves messages in a queue.</summary>
    public void MayHold(string queue) => _mayHold.Add(queue);

    /// <summary>The queues as the broker describes them, by name.</summary>
    public async Task<Dictionary<string, JsonElement>> QueuesAsync() =>
        (await _http.GetFromJsonAsync<JsonElement>(new Uri($"/api/queues/{Name}", UriKind.Relative))).EnumerateArray().ToDictionary(queue => queue.GetProperty("name").GetString()!);

    /// <summary>Puts a body into a queue as it is, with headers of its own.</summary>
    public async Task SendAsync(string queue, string body, object? headers = null)
    {
        using var sent = await _http.PostAsJsonAsync(
            new Uri($"/api/exchanges/{Name}/amq.default/publish", UriKind.Relative),
            new { properties = new { delivery_mode = 2, headers = headers ?? new { }, content_type = "application/vnd.masstransit+json" }, routing_key = queue, payload = body, payload_encoding = "string" });
        sent.EnsureSuccessStatusCode();
        (await sent.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("routed").GetBoolean().ShouldBeTrue(queue);
    }

    /// <summary>How many messages wait in a queue, as the queue itself says; the management API is some seconds behind.</summary>
    public async Task<int> CountAsync(string queue)
    {
        var connection = await new ConnectionFactory { Uri = new Uri(Url) }.CreateConnectionAsync();
        await using (connection)
        {
            await using var channel = await connection.CreateChannelAsync();
            try
            {
                return (int)(await channel.QueueDeclarePassiveAsync(queue)).MessageCount;
            }
            catch (OperationInterruptedException e) when (e.ShutdownReason?.ReplyCode == 404)
            {
                return 0;
            }
        }
    }

    /// <summary>Forgets everything that waits.</summary>
    public async Task WipeAsync()
    {
        // Those of one process alone are not for others to touch, and end with it.
        var queues = (await QueuesAsync()).Where(queue => queue.Value.GetProperty("durable").GetBoolean()).Select(queue => queue.Key).ToList();
        var connection = await new ConnectionFactory { Uri = new Uri(Url) }.CreateConnectionAsync();
        await using (connection)
        {
            await using var channel = await connection.CreateChannelAsync();
            foreach (var queue in queues) await channel.QueuePurgeAsync(queue);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        try
        {
            foreach (var queue in (await QueuesAsync()).Keys.Where(queue => !_mayHold.Contains(queue))) (await CountAsync(queue)).ShouldBe(0, $"messages left in {queue}");
        }
        finally
        {
            using var removed = await _http.DeleteAsync(new Uri($"/api/vhosts/{Name}", UriKind.Relative));
            _http.Dispose();
        }
    }
}
