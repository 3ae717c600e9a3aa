using Pipeline.Cli;
using Pipeline.Cli.Hosting;

namespace Pipeline.Tests.Serving;

/// <summary>A registry in the process of the tests.</summary>
public sealed class InProcessPipeline : RunningPipeline
{
    private PipelineHost? _host;

    private InProcessPipeline()
    {
    }

    /// <inheritdoc/>
    protected override bool IsRunning => _host is not null;

    /// <summary>Starts one without rate limits.</summary>
    /// <param name="configuration">Configuration keys with their values.</param>
    public static Task<InProcessPipeline> StartAsync(params IEnumerable<(string Key, string Value)> configuration) => StartAsync(_ => configuration);

    /// <summary>The same, where the configuration depends on the registry's place.</summary>
    /// <param name="configure">The configuration of the one that is about to start.</param>
    public static async Task<InProcessPipeline> StartAsync(Func<RunningPipeline, IEnumerable<(string Key, string Value)>> configure)
    {
        var pipeline = new InProcessPipeline();
        var configuration = configure(pipeline);
        var overrides = configuration.ToDictionary(item => item.Key, string? (item) => item.Value);
        overrides.TryAdd("Logging:LogLevel:Default", "Warning");
        overrides["Registry:Data"] = pipeline.Data;
        overrides["RateLimits:Enabled"] = "false";
        if (overrides.TryGetValue("Database:Postgres", out var postgres)) await MigrateAsync(pipeline.Data, postgres!);
        pipeline._host = await PipelineHost.StartAsync(new HostSettings { Port = pipeline.Port, Overrides = overrides });
        pipeline.Serves();
        return pipeline;
    }

    // As an operator does, once for all processes that share the database.
    private static async Task MigrateAsync(string data, string postgres)
    {
        using var said = new StringWriter();
        var session = new Session(static _ => null, said, said, null, static () => new SocketsHttpHandler());
        (await CommandLine.RunAsync(["migrate", "--data", data, "--set", $"Database:Postgres={postgres}"], session)).ShouldBe(0, said.ToString());
    }

    /// <inheritdoc/>
    protected override async Task StopAsync()
    {
        if (_host is not null) await _host.DisposeAsync();
        _host = null;
    }
}
