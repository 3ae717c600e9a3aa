using Pipeline.Registry.Database;
using Pipeline.Registry.Failures;
using Pipeline.Tests.Chaos.Workload;

namespace Pipeline.Tests.Chaos.Faults;

/// <summary>Whether a role has work in its hands just now: a fault that comes then bites.</summary>
internal sealed class Work(IDatabase database, Ledger ledger)
{
    private const string Undecided = "SELECT COUNT(*) FROM publishes WHERE decided_at IS NULL";
    private const string Behind = "SELECT COUNT(*) FROM projections WHERE reached < wanted";

    /// <summary>Waits a moment for a role to have some. False: it had none.</summary>
    public async Task<bool> WaitAsync(string role)
    {
        for (var i = 0; i < 100; i++)
        {
            if (await AnyAsync(role)) return true;
            await Task.Delay(10);
        }

        return false;
    }

    /// <summary>Whether it has some.</summary>
    public async Task<bool> AnyAsync(string role)
    {
        if (role == "api") return ledger.InFlight > 0;
        try
        {
            return await database.ReadAsync(sql => sql.LongAsync(role switch
            {
                "tarball" => $"{Undecided} AND state = 'parked'",
                "manifest" => Undecided,
                "git" => $"{Behind} AND kind = 'git'",
                "sparse" => $"{Behind} AND kind = 'sparse'",
                "cdn" => "SELECT COUNT(*) FROM purges WHERE confirmed_at IS NULL",
                _ => $"SELECT ({Undecided}) + ({Behind})",
            })) > 0;
        }
        catch (TransientException)
        {
            // The database is just what another fault has taken away.
            return false;
        }
    }
}
