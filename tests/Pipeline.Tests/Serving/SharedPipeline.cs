namespace Pipeline.Tests.Serving;

/// <summary>One registry for all flows that can live beside each other: each uses crates and users of its own.</summary>
public sealed class SharedPipeline : IAsyncLifetime
{
    /// <summary>The registry.</summary>
    public RunningPipeline Pipeline { get; private set; } = null!;

    /// <inheritdoc/>
    public async ValueTask InitializeAsync() => Pipeline = await InProcessPipeline.StartAsync();

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => Pipeline.DisposeAsync();
}
