namespace Pipeline.Tests.Serving;

/// <summary>
/// One registry for all flows that can live beside each other: each uses crates and users of its own. <c>PIPELINE_TEST_SHAPE=distributed</c>
/// makes it one of many processes over real services.
/// </summary>
public sealed class SharedPipeline : IAsyncLifetime
{
    /// <summary>The registry.</summary>
    public RunningPipeline Pipeline { get; private set; } = null!;

    /// <inheritdoc/>
    public async ValueTask InitializeAsync() => Pipeline = Environment.GetEnvironmentVariable("PIPELINE_TEST_SHAPE") switch
    {
        null or "" or "standalone" => await InProcessPipeline.StartAsync(),
        "distributed" => await DistributedPipeline.StartAsync(),
        var other => throw new InvalidOperationException($"PIPELINE_TEST_SHAPE is standalone or distributed, not {other}"),
    };

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => Pipeline.DisposeAsync();
}
