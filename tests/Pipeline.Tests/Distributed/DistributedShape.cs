using Npgsql;
using Pipeline.Tests.Serving;
using Pipeline.Tests.Telemetry;

namespace Pipeline.Tests.Distributed;

/// <summary>One registry of many processes for the tests of that shape, which sends what it sees to a receiver and logs all it has to say.</summary>
public sealed class DistributedShape : IAsyncLifetime
{
    private const string OtlpKey = "marked-otlp-key";

    /// <summary>The registry.</summary>
    public DistributedPipeline Pipeline { get; private set; } = null!;

    /// <summary>What it tells.</summary>
    public OtlpReceiver Receiver { get; private set; } = null!;

    /// <summary>A publisher.</summary>
    public Account User { get; private set; } = null!;

    /// <summary>Everything that must not be seen anywhere, with what it is.</summary>
    public IEnumerable<(string What, string Value)> Secrets
    {
        get
        {
            var environment = Pipeline.ProcessEnvironment.ToLookup(item => item.Name, item => item.Value);
            string Of(string name) => environment[name].First();
            return
            [
                ("the database's password", new NpgsqlConnectionStringBuilder(Of("PIPELINE__Database__Postgres")).Password!),
                ("the broker's password", new Uri(Of("PIPELINE__Bus__RabbitMq")).UserInfo.Split(':')[1]),
                ("the object store's key", Of("PIPELINE__Store__S3__SecretKey")),
                ("the cache's token", Of("PIPELINE__Cdn__Targets__0__Token")),
                ("the receiver's key", OtlpKey),
                ("the administrator's token", Pipeline.Admin.Token),
                ("the publisher's token", User.Token),
            ];
        }
    }

    /// <inheritdoc/>
    public async ValueTask InitializeAsync()
    {
        Receiver = await OtlpReceiver.StartAsync();
        Pipeline = await DistributedPipeline.StartAsync(
            [.. Receiver.Configuration, ("Telemetry:OtlpHeaders", $"x-key={OtlpKey}"), ("Telemetry:LogFormat", "json"), ("Logging:LogLevel:Default", "Debug"),
            ("Logging:LogLevel:Microsoft", "Debug"), ("Logging:LogLevel:MassTransit", "Debug"), ("Workers:RingAgainSeconds", "5"), ("Workers:SweepSeconds", "2")]);
        User = await Pipeline.AddUserAsync();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        // What failed while a service was away is resolved by the next success, of which the sweep's may be seconds off.
        await Deadline.UntilAsync(60, async () =>
        {
            var failures = (await Pipeline.AdminAsync(HttpMethod.Get, "failures?limit=100")).GetProperty("failures").EnumerateArray();
            var open = failures.Select(failure => failure.GetRawText()).ToList();
            return open.Count == 0 ? null : $"open failures: {string.Join(", ", open)}";
        });
        await Pipeline.DisposeAsync();
        await Receiver.DisposeAsync();
    }
}
