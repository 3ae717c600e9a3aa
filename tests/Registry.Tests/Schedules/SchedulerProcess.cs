using System.Linq.Expressions;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Pipeline.Contracts;
using Pipeline.Registry.Bus;
using Pipeline.Registry.Database;
using Pipeline.Registry.Schedules;

namespace Pipeline.Registry.Tests.Schedules;

/// <summary>A scheduler as a process runs it, over a PostgreSQL database or alone.</summary>
internal static class SchedulerProcess
{
    public static readonly ScheduleOptions Options = new() { CheckinSeconds = 1 };

    /// <summary>Starts one in this process.</summary>
    public static async Task<IHost> StartAsync(Secret? postgres, IDoorbell doorbell, params Schedule[] schedules)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton(doorbell);
        builder.Services.AddSingleton(Options);
        builder.Services.AddSchedules(Options, new DatabaseOptions { Postgres = postgres }, schedules);
        var host = builder.Build();
        await host.StartAsync();
        return host;
    }

    /// <summary>
    /// The second process: it runs until it is killed. No code of this assembly may run on its other threads (SecondProcess), so what it
    /// sends is made at run time, and sends nothing.
    /// </summary>
    public static void Run(string connection)
    {
        var nothing = Expression.Lambda<Func<IDoorbell, DateTimeOffset?, ValueTask>>(
            Expression.Default(typeof(ValueTask)), Expression.Parameter(typeof(IDoorbell)), Expression.Parameter(typeof(DateTimeOffset?))).Compile();
        var doorbell = (IDoorbell)RuntimeHelpers.GetUninitializedObject(typeof(InMemoryDoorbell));
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton(doorbell);
        // A list of the framework's: a collection expression would be a type of this assembly.
        var schedules = new List<Schedule>();
        schedules.Add(new Schedule("tick", TimeSpan.FromSeconds(1), nothing));
        builder.Services.AddSchedules(Options, new DatabaseOptions { Postgres = new Secret(connection) }, schedules);
        using var host = builder.Build();
        host.StartAsync().GetAwaiter().GetResult();
        Thread.Sleep(Timeout.Infinite);
    }
}
