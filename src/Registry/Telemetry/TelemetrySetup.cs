using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Logs;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;
using Pipeline.Registry.Options;

namespace Pipeline.Registry.Telemetry;

/// <summary>
/// Sets up logs, metrics and traces of a process. Metrics are always there, for <c>/metrics</c>. Everything else is made only when
/// <see cref="TelemetryOptions.OtlpEndpoint"/> says where to send it.
/// </summary>
public static class TelemetrySetup
{
    private static readonly string[] Sources =
        [Tracing.Name, "Microsoft.AspNetCore", "System.Net.Http", "MassTransit", "RabbitMQ.Client.*", "Npgsql", "Quartz"];

    private static readonly string[] Meters = [Tracing.Name, "System.Runtime"];

    private static readonly string[] LibraryMeters =
        ["Microsoft.AspNetCore.*", "System.Net.Http", "System.Net.NameResolution", "Npgsql", "MassTransit", "Quartz"];

    /// <summary>Adds them.</summary>
    /// <param name="builder">The process's host.</param>
    /// <param name="role">What the process is: <c>all</c>, <c>api</c>, <c>worker</c>.</param>
    /// <exception cref="InvalidOperationException">A key of the section does not hold; the text names it.</exception>
    public static IHostApplicationBuilder AddTelemetry(this IHostApplicationBuilder builder, string role)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var options = builder.Services.AddSection<TelemetryOptions>(builder.Configuration, "Telemetry");
        if (options.Problem() is { } problem) throw new InvalidOperationException(problem);
        AddConsole(builder.Logging, options);
        var resource = ResourceBuilder.CreateDefault()
            .AddService(options.ServiceName, serviceInstanceId: $"{Environment.MachineName}:{Environment.ProcessId}")
            .AddAttributes([new("service.role", role)]);
        builder.Services.AddSingleton<StandingCache>();
        builder.Services.AddSingleton<StandingGauges>();
        builder.Services.AddSingleton<PrometheusText>();
        builder.Services.AddSingleton<MetricsAnswer>();
        builder.Services.AddSingleton(services => BuildMeters(services, options, resource));
        builder.Services.AddHostedService<TelemetryStart>();
        if (options.MetricsPort is not null) builder.Services.AddHostedService<MetricsListener>();
        if (options.OtlpEndpoint is not null) AddOtlp(builder, options, resource);
        return builder;
    }

    private static void AddConsole(ILoggingBuilder logging, TelemetryOptions options)
    {
        if (options.LogFormat == "json")
        {
            logging.AddConsole(console => console.FormatterName = JsonLogFormatter.FormatterName).AddConsoleFormatter<JsonLogFormatter, ConsoleFormatterOptions>();
        }
        else
        {
            logging.AddConsole(console => console.FormatterName = TextLogFormatter.FormatterName).AddConsoleFormatter<TextLogFormatter, ConsoleFormatterOptions>();
        }

        // Standard output carries the one line `ready URL`; the log goes to standard error.
        logging.Services.Configure<ConsoleLoggerOptions>(console => console.LogToStandardErrorThreshold = LogLevel.Trace);
    }

    private static MeterProvider BuildMeters(IServiceProvider services, TelemetryOptions options, ResourceBuilder resource)
    {
        var meters = Sdk.CreateMeterProviderBuilder()
            .SetResourceBuilder(resource)
            .AddMeter(Meters)
            .AddReader(new BaseExportingMetricReader(services.GetRequiredService<PrometheusText>()));
        if (options.LibraryMeters) meters.AddMeter(LibraryMeters);
        if (options.OtlpEndpoint is not null)
        {
            meters.AddOtlpExporter((exporter, reader) =>
            {
                Address(exporter, options, "metrics");
                reader.PeriodicExportingMetricReaderOptions.ExportIntervalMilliseconds = (int)(options.ExportSeconds * 1000);
            });
        }

        return meters.Build();
    }

    private static void AddOtlp(IHostApplicationBuilder builder, TelemetryOptions options, ResourceBuilder resource)
    {
        // .NET 10 puts method, path and so on onto the server's span only with this switch off.
        AppContext.SetSwitch("Microsoft.AspNetCore.Hosting.SuppressActivityOpenTelemetryData", false);
        builder.Services.AddSingleton<IStartupFilter, ServerSpans>();
        builder.Services.AddSingleton(_ => Sdk.CreateTracerProviderBuilder()
            .SetResourceBuilder(resource)
            .AddSource(Sources)
            .SetSampler(new ParentBasedSampler(new TraceSampler(options.SamplingRatio, options.ReadSamplingRatio)))
            .AddOtlpExporter(exporter =>
            {
                Address(exporter, options, "traces");
                exporter.BatchExportProcessorOptions = new BatchExportActivityProcessorOptions { ScheduledDelayMilliseconds = Delay(options) };
            })
            .Build());
        builder.Logging.AddOpenTelemetry(logs =>
        {
            logs.SetResourceBuilder(resource);
            logs.IncludeFormattedMessage = true;
            logs.AddProcessor(new LogIds());
            logs.AddOtlpExporter((exporter, processor) =>
            {
                Address(exporter, options, "logs");
                processor.BatchExportProcessorOptions = new BatchExportLogRecordProcessorOptions { ScheduledDelayMilliseconds = Delay(options) };
            });
        });
    }

    private static int Delay(TelemetryOptions options) => (int)(Math.Min(options.ExportSeconds, 5) * 1000);

    private static void Address(OtlpExporterOptions exporter, TelemetryOptions options, string signal)
    {
        exporter.Protocol = OtlpExportProtocol.HttpProtobuf;
        exporter.Endpoint = new Uri($"{options.OtlpEndpoint!.AbsoluteUri.TrimEnd('/')}/v1/{signal}");
        if (options.OtlpHeaders is { } headers) exporter.Headers = headers.Reveal();
    }

    /// <summary>Makes at start what otherwise nobody would ask for. The container ends it, and with it sends what is left.</summary>
    private sealed class TelemetryStart(IServiceProvider services) : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken)
        {
            services.GetRequiredService<StandingGauges>();
            services.GetRequiredService<MeterProvider>();
            services.GetService<TracerProvider>();
            return Task.CompletedTask;
        }

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
