namespace Pipeline.Tests.Serving;

/// <summary>
/// One registry for all flows that can live beside each other: each uses crates and users of its own. <c>PIPELINE_TEST_SHAPE=distributed</c>
/// makes it one of many processes over real services.
/// </summary>
public sealed class SharedPipeline : IAsyncLifetime
{
    // The webhooks of tests are on this machine.
    private static readonly (string, string) Webhooks = ("Notices:AllowedNetworks:0", "127.0.0.0/8");

    /// <summary>The registry.</summary>
    public RunningPipeline Pipeline { get; private set; } = null!;

    /// <inheritdoc/>
    public async ValueTask InitializeAsync() => Pipeline = Environment.GetEnvironmentVariable("PIPELINE_TEST_SHAPE") switch
    {
        null or "" or "standalone" => await InProcessPipeline.StartAsync(Webhooks),
        "distributed" => await DistributedPipeline.StartAsync(Webhooks),
        var other => throw new InvalidOperationException($"PIPELINE_TEST_SHAPE is standalone or distributed, not {other}"),
    };

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => Pipeline.DisposeAsync();
}
