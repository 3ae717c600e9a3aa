using System.Globalization;
using Pipeline.Registry.Database;
using Pipeline.Registry.Faults;
using Pipeline.Registry.Store;
using Pipeline.Tests.Services;

namespace Pipeline.Tests.Chaos.Shapes;

/// <summary>The standalone shape: one process, its objects and its git index each on a small disk, a real Varnish in front.</summary>
internal sealed class Standalone
{
    private const int DiskMegabytes = 256;

    private Standalone(Fleet fleet, SmallDisk store, SmallDisk index, Cable cdn) => (Fleet, Store, Index, Cdn) = (fleet, store, index, cdn);

    /// <summary>The registry.</summary>
    public Fleet Fleet { get; }

    /// <summary>The disk of the objects.</summary>
    public SmallDisk Store { get; }

    /// <summary>The disk of the git index.</summary>
    public SmallDisk Index { get; }

    /// <summary>The way to the cache.</summary>
    public Cable Cdn { get; }

    /// <summary>The one process.</summary>
    public RoleProcess Process => Fleet.Processes[0];

    /// <summary>Starts it.</summary>
    /// <param name="plant">The bug to switch on; null: none.</param>
    public static async Task<Standalone> StartAsync(string? plant)
    {
        var fleet = new Fleet("standalone", plant);
        try
        {
            var varnish = fleet.Own(await RealServices.StartAsync(["varnish"], "--origin", $"127.0.0.1:{fleet.Port}"));
            var store = fleet.Own(await SmallDisk.MountAsync(Path.Combine(fleet.Data, "objects"), DiskMegabytes));
            var index = fleet.Own(await SmallDisk.MountAsync(fleet.Repository, DiskMegabytes));
            var (cdn, environment) = Distributed.Behind(fleet, varnish);
            fleet.OpenDatabase = () => new SqliteDatabase(Path.Combine(fleet.Data, "registry.sqlite"), TimeProvider.System);
            fleet.OpenStore = () => new FolderStore(Path.Combine(fleet.Data, "objects"));
            fleet.GitUrl = fleet.GitIndex;
            var process = new RoleProcess(
                "standalone", [.. FaultPoints.All, .. FaultPoints.OfSchedules],
                ["up", "--port", fleet.Port.ToString(CultureInfo.InvariantCulture), "--data", fleet.Data], [.. fleet.Environment, .. environment], fleet.Journal);
            fleet.Processes.Add(process);
            await process.StartAsync();
            fleet.Opens();
            return new Standalone(fleet, store, index, cdn);
        }
        catch
        {
            fleet.Opens();
            await fleet.DisposeAsync();
            throw;
        }
    }
}
