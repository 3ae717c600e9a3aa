using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Pipeline.Registry.Cdn;
using Pipeline.Registry.Database;
using Pipeline.Registry.Options;
using Pipeline.Registry.Schedules;
using Pipeline.Registry.Truth;
using Pipeline.Workers.Cdn;
using Pipeline.Workers.Fetching;
using Pipeline.Workers.GitIndex;
using Pipeline.Workers.Mail;
using Pipeline.Workers.Manifests;
using Pipeline.Workers.Notices;
using Pipeline.Workers.Rebuilds;
using Pipeline.Workers.Reconciliation;
using Pipeline.Workers.Records;
using Pipeline.Workers.Search;
using Pipeline.Workers.SparseIndex;
using Pipeline.Workers.Tarballs;
using Pipeline.Workers.Upkeep;
using Pipeline.Workers.Upstream;

namespace Pipeline.Workers;

/// <summary>Registers what the workers need; the consumers themselves are added to the bus from the <see cref="WorkerCatalogue"/>.</summary>
public static class WorkerSetup
{
    private static readonly TimeSpan LongWorkLease = TimeSpan.FromSeconds(20);

    /// <summary>The workers that this process serves.</summary>
    public static IEnumerable<Worker> ServedBy(WorkerOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return WorkerCatalogue.All.Where(worker => options.Serves(worker.Stage.Queue));
    }

    /// <summary>Adds the workers' own services.</summary>
    public static IServiceCollection AddWorkers(this IServiceCollection services, WorkerOptions options)
    {
        foreach (var worker in WorkerCatalogue.All) services.AddSingleton(worker.Stage);
        services.AddGitIndexWriter();
        services.AddCdn();
        services.AddUpstreams();
        services.AddFetching();
        services.AddSingleton<DuePurges>();
        services.AddSingleton<CacheLooks>();
        services.AddSingleton<TargetDrain>();
        services.TryAddSingleton(new NoticeOptions());
        services.TryAddSingleton(new MailOptions());
        services.AddSingleton<MailSender>();
        services.AddSingleton<SearchProjection>();
        services.AddSingleton<WebhookRows>();
        services.AddSingleton<NoticeClient>();
        services.AddSingleton<WebhookDrains>();
        services.AddSingleton<PublishDecision>();
        services.AddSingleton<VersionFiles>();
        services.AddSingleton<ParkedCopies>();
        services.AddSingleton<CheckedPublishes>();
        services.AddSingleton<WaitingRows>();
        services.AddSingleton<SweepTrim>();
        services.TryAddSingleton(new UpkeepOptions());
        services.AddSingleton<StagingCleanup>();
        services.AddSingleton<ScheduleSlots>();
        services.AddSingleton<IndexFiles>();
        services.AddSingleton<SparseRenderer>();
        services.AddSingleton<SparseRebuild>();
        services.AddSingleton<GitRebuild>();
        services.AddSingleton<CrateLooks>();
        services.AddSingleton<CratePages>();
        services.AddSingleton<StrayFiles>();
        services.AddSingleton<StrayObjects>();
        services.AddSingleton<LostVersions>();
        services.AddSingleton<ServedCopies>();
        services.AddSingleton<Mending>();
        services.AddSingleton<SearchRebuild>();
        services.AddSingleton(static provider => new LongWork(
            new Lease(
                provider.GetRequiredService<IDatabase>(), LongWork.LeaseName, provider.GetRequiredService<ThisProcess>().Id, LongWorkLease, provider.GetRequiredService<TimeProvider>()),
            provider.GetRequiredService<TimeProvider>()));
        return services;
    }
}
