using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Pipeline.Tests.Services;

namespace Pipeline.Tests.Serving;

/// <summary>
/// The distributed shape: two API processes, whose turn it is one after the other, and two of each worker, over RabbitMQ, PostgreSQL and S3.
/// When it is disposed of, no queue may hold a message.
/// </summary>
public sealed class DistributedPipeline : RunningPipeline
{
    private const double StartSeconds = 120;

    /// <summary>The queues of each kind of worker process.</summary>
    public static readonly string[][] Workers =
        [["validate-tarball"], ["read-manifest"], ["commit-index"], ["render-sparse"], ["sweep", "delete-bytes"]];

    private readonly ConcurrentQueue<string> _log = [];
    private readonly List<Process> _processes = [];
    private readonly List<(string Name, string Value)> _environment = [];
    private PostgresCopy _database = null!;
    private BrokerHost _broker = null!;
    private S3Buckets _buckets = null!;
    private Cable _balancer = null!;

    private DistributedPipeline()
    {
    }

    /// <summary>What the processes wrote to standard error so far.</summary>
    public string Log => string.Join('\n', _log);

    /// <summary>How a process of this registry is configured.</summary>
    public IReadOnlyList<(string Name, string Value)> ProcessEnvironment => _environment;

    /// <inheritdoc/>
    protected override bool IsRunning => _processes.Count > 0;

    /// <summary>Starts one without rate limits.</summary>
    /// <param name="configuration">Configuration keys with their values.</param>
    public static async Task<DistributedPipeline> StartAsync(params IEnumerable<(string Key, string Value)> configuration)
    {
        var pipeline = new DistributedPipeline();
        await pipeline.StartServicesAsync();
        foreach (var (key, value) in configuration) pipeline._environment.Add(($"PIPELINE__{key.Replace(":", "__", StringComparison.Ordinal)}", value));
        await pipeline.RunAsync("migrate");

        var ports = new[] { FreePort(), FreePort() };
        pipeline._balancer = Cable.Between(pipeline.Port, ports);
        await Task.WhenAll(
        [
            .. ports.Select(port => pipeline.StartAsync(["api", "--port", port.ToString(CultureInfo.InvariantCulture)])),
            .. Workers.Concat(Workers).Select(queues => pipeline.StartAsync(["worker", "--only", .. queues])),
        ]);
        pipeline.Serves();
        return pipeline;
    }

    /// <summary>Runs a command of the registry to its end.</summary>
    public async Task<string> RunAsync(params string[] arguments)
    {
        using var process = Process.Start(PipelineProgram.Start(arguments, _environment))!;
        process.StandardInput.Close();
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        process.ExitCode.ShouldBe(0, await error);
        return await output;
    }

    /// <inheritdoc/>
    protected override async Task StopAsync()
    {
        try
        {
            if (IsRunning) await Deadline.UntilAsync(30, HeldAsync);
        }
        finally
        {
            foreach (var process in _processes)
            {
                process.Kill();
                await process.WaitForExitAsync();
                process.Dispose();
            }

            _processes.Clear();
            if (_balancer is not null) await _balancer.DisposeAsync();
            // What the processes had not confirmed goes back to the queues as they are killed; that it was empty was seen above.
            foreach (var queue in Workers.SelectMany(queues => queues)) _broker.MayHold(queue);
            await _broker.DisposeAsync();
            await _buckets.DisposeAsync();
            await _database.DisposeAsync();
        }
    }

    private async Task StartServicesAsync()
    {
        var services = await RealServices.SharedAsync("postgres", "rabbitmq", "s3");
        _database = await PostgresCopies.CreateEmptyAsync();
        _broker = await BrokerHost.CreateAsync(services);
        _buckets = await S3Buckets.CreateAsync(services);
        var store = _buckets.Options;
        _environment.AddRange(
        [
            ("PIPELINE_DATA", Data), ("PIPELINE__Registry__PublicUrl", Url), ("PIPELINE__RateLimits__Enabled", "false"),
            ("PIPELINE__Logging__LogLevel__Default", "Warning"),
            ("PIPELINE__Database__Postgres", _database.Options.Postgres!.Reveal()), ("PIPELINE__Bus__RabbitMq", _broker.Url),
            ("PIPELINE__Store__S3__Endpoint", store.Endpoint!), ("PIPELINE__Store__S3__Bucket", store.Bucket!), ("PIPELINE__Store__S3__StagingBucket", store.StagingBucket!),
            ("PIPELINE__Store__S3__AccessKey", store.AccessKey!.Reveal()), ("PIPELINE__Store__S3__SecretKey", store.SecretKey!.Reveal()),
        ]);
    }

    private async Task StartAsync(IEnumerable<string> arguments)
    {
        var process = Process.Start(PipelineProgram.Start(arguments, _environment))!;
        lock (_processes) _processes.Add(process);
        process.ErrorDataReceived += (_, line) =>
        {
            if (line.Data is { } text) _log.Enqueue(text);
        };
        process.BeginErrorReadLine();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(StartSeconds));
        var ready = await process.StandardOutput.ReadLineAsync(patience.Token);
        (ready ?? "").ShouldStartWith("ready ", customMessage: $"{string.Join(' ', arguments)}: {Log}");
    }

    private async Task<string?> HeldAsync()
    {
        foreach (var queue in Workers.SelectMany(queues => queues).SelectMany(queue => new[] { queue, $"{queue}_error", $"{queue}_skipped" }))
        {
            if (await _broker.CountAsync(queue) is > 0 and var held) return $"{held} messages in {queue}";
        }

        return null;
    }
}
