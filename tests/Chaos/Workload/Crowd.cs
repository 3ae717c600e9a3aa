namespace Pipeline.Tests.Chaos.Workload;

/// <summary>Clients that share the plan: each takes the next step when its turn has come and what it builds upon is done.</summary>
internal static class Crowd
{
    private const int Clients = 10;

    /// <summary>Works until the pace ends. Returns how many steps were done.</summary>
    public static async Task<int> WorkAsync(Client client, IReadOnlyList<Step> plan, Pace pace)
    {
        var done = plan.Select(_ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).ToArray();
        var next = -1;
        var count = 0;
        await Task.WhenAll(Enumerable.Range(0, Clients).Select(_ => Task.Run(WorkAsync, CancellationToken.None)));
        return count;

        async Task WorkAsync()
        {
            while (Interlocked.Increment(ref next) is var place && place < plan.Count && await pace.TurnAsync(place))
            {
                try
                {
                    await Task.WhenAll(plan[place].After.Select(other => done[other].Task));
                    await client.DoAsync(plan[place]);
                    done[place].SetResult();
                    Interlocked.Increment(ref count);
                }
                catch (Exception e)
                {
                    // A mistake of the suite: it ends all that builds upon this step too.
                    Run.Say($"{plan[place].Kind} {plan[place].Crate.Name}: {e}");
                    done[place].SetException(e);
                    throw;
                }
            }
        }
    }
}
