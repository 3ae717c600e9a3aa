using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Npgsql;
using Pipeline.Tests.Services;
using Pipeline.Workers;

namespace Pipeline.Tests.Serving;

/// <summary>
/// The distributed shape: two API processes, whose turn it is one after the other, and two of each worker, over RabbitMQ, PostgreSQL and S3,
/// each behind a cable that can be cut, with Varnish in front. When it is disposed of, no queue may hold a message.
/// </summary>
public sealed class DistributedPipeline : RunningPipeline
{
    private const double StartSeconds = 120;

    // What costs is alone in its processes; the rest shares them.
    private static readonly string[][] Workers =
    [
        ["validate-tarball"], ["read-manifest"], ["commit-index"], ["render-sparse"],
        [.. Queues.Except(["validate-tarball", "read-manifest", "commit-index", "render-sparse"])],
    ];

    private readonly ConcurrentQueue<string> _log = [];
    private readonly List<Process> _processes = [];
    private readonly List<(string Name, string Value)> _environment = [];
    private PostgresCopy _database = null!;
    private BrokerHost _broker = null!;
    private S3Buckets _buckets = null!;
    private RealServices _edge = null!;
    private Cable _balancer = null!;

    private DistributedPipeline()
    {
    }

    /// <summary>The queues of all workers.</summary>
    public static IReadOnlyList<string> Queues => [.. WorkerCatalogue.All.Select(worker => worker.Stage.Queue)];

    /// <summary>The way to PostgreSQL.</summary>
    public Cable DatabaseCable { get; private set; } = null!;

    /// <summary>The way to RabbitMQ.</summary>
    public Cable BrokerCable { get; private set; } = null!;

    /// <summary>The way to S3.</summary>
    public Cable StoreCable { get; private set; } = null!;

    /// <summary>The broker itself.</summary>
    public BrokerHost Broker => _broker;

    /// <summary>Where Varnish serves what the API serves.</summary>
    public Uri Edge => new(_edge["PIPELINE__Cdn__Targets__0__IndexUrls__0"]);

    /// <summary>The command lines of all processes, as anybody on the machine sees them.</summary>
    public IEnumerable<string> CommandLines => _processes.Select(process => File.ReadAllText($"/proc/{process.Id}/cmdline"));

    /// <summary>What the processes wrote to standard error so far.</summary>
    public string Log => string.Join('\n', _log);

    /// <summary>How a process of this registry is configured.</summary>
    public IReadOnlyList<(string Name, string Value)> ProcessEnvironment => _environment;

    /// <inheritdoc/>
    protected override bool IsRunning => _processes.Count > 0;

    /// <summary>Starts one without rate limits.</summary>
    /// <param name="configuration">Configuration keys with their values; what begins with <c>PIPELINE_</c> is an environment variable as it is.</param>
    public static Task<DistributedPipeline> StartAsync(params IEnumerable<(string Key, string Value)> configuration) => StartAsync(_ => configuration);

    /// <summary>The same, where the configuration depends on the registry's place.</summary>
    /// <param name="configure">The configuration of the one that is about to start.</param>
    public static async Task<DistributedPipeline> StartAsync(Func<RunningPipeline, IEnumerable<(string Key, string Value)>> configure)
    {
        var pipeline = new DistributedPipeline();
        await pipeline.StartServicesAsync();
        foreach (var (key, value) in configure(pipeline)) pipeline._environment.Add((key.StartsWith("PIPELINE_", StringComparison.Ordinal) ? key : $"PIPELINE__{key.Replace(":", "__", StringComparison.Ordinal)}", value));
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

    /// <summary>Runs a command of the registry to its end, which must be a good one.</summary>
    public async Task<string> RunAsync(params string[] arguments)
    {
        var (code, output, error) = await TryAsync([], arguments);
        code.ShouldBe(0, error);
        return output;
    }

    /// <summary>Runs a command of the registry to its end, or for a minute.</summary>
    /// <param name="environment">What differs from the configuration of the others.</param>
    /// <param name="arguments">The command.</param>
    public async Task<(int Code, string Output, string Error)> TryAsync(IEnumerable<(string Name, string Value)> environment, params string[] arguments)
    {
        using var process = Process.Start(PipelineProgram.Start(arguments, [.. _environment, .. environment]))!;
        process.StandardInput.Close();
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        using var kill = patience.Token.Register(process.Kill);
        await process.WaitForExitAsync();
        return (process.ExitCode, await output, await error);
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
            foreach (var cable in new[] { _balancer, DatabaseCable, BrokerCable, StoreCable })
            {
                if (cable is not null) await cable.DisposeAsync();
            }

            await _edge.DisposeAsync();
            // What the processes had not confirmed goes back to the queues as they are killed; that it was empty was seen above.
            foreach (var queue in Queues) _broker.MayHold(queue);
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
        _edge = await RealServices.StartAsync(["varnish"], "--origin", $"127.0.0.1:{Port}");
        var store = _buckets.Options;
        var database = new NpgsqlConnectionStringBuilder(_database.Options.Postgres!.Reveal());
        DatabaseCable = Cable.To(database.Port);
        database.Port = DatabaseCable.Port;
        BrokerCable = Cable.To(new Uri(_broker.Url).Port);
        StoreCable = Cable.To(new Uri(store.Endpoint!).Port);
        _environment.AddRange(
        [
            ("PIPELINE_DATA", Data), ("PIPELINE__Registry__PublicUrl", Url), ("PIPELINE__RateLimits__Enabled", "false"),
            ("PIPELINE__Logging__LogLevel__Default", "Warning"),
            ("PIPELINE__Database__Postgres", database.ConnectionString), ("PIPELINE__Bus__RabbitMq", new UriBuilder(_broker.Url) { Port = BrokerCable.Port }.Uri.AbsoluteUri),
            ("PIPELINE__Store__S3__Endpoint", $"http://127.0.0.1:{StoreCable.Port}"), ("PIPELINE__Store__S3__Bucket", store.Bucket!), ("PIPELINE__Store__S3__StagingBucket", store.StagingBucket!),
            ("PIPELINE__Store__S3__AccessKey", store.AccessKey!.Reveal()), ("PIPELINE__Store__S3__SecretKey", store.SecretKey!.Reveal()),
            // What one API process has served may be seen at the other at once: tests read right behind their writes.
            ("PIPELINE__Store__FreshSeconds", "0"),
            .. _edge.Environment.Select(variable => (variable.Key, variable.Value)),
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
        foreach (var queue in Queues.SelectMany(queue => new[] { queue, $"{queue}_error", $"{queue}_skipped" }))
        {
            if (await _broker.CountAsync(queue) is > 0 and var held) return $"{held} messages in {queue}";
        }

        return null;
    }
}
