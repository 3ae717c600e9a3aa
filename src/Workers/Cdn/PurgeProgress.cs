using Pipeline.Registry.Cdn;

namespace Pipeline.Workers.Cdn;

/// <summary>What has become of the purges of one batch. A purge may need several requests, and a request may serve several purges.</summary>
public sealed class PurgeProgress
{
    private readonly Lock _gate = new();
    private readonly Dictionary<long, int> _open = [];
    private readonly Dictionary<long, PurgeVerdict> _failed = [];
    private PurgeVerdict? _halt;

    /// <summary>Why the rest of the batch stays unsent; null: it does not.</summary>
    public PurgeVerdict? Halt => Volatile.Read(ref _halt);

    /// <summary>Counts requests that have to be done.</summary>
    public void Expect(IEnumerable<PurgeRequest> requests)
    {
        ArgumentNullException.ThrowIfNull(requests);
        lock (_gate)
        {
            foreach (var item in requests.SelectMany(static request => request.Items)) _open[item.Id] = _open.GetValueOrDefault(item.Id) + 1;
        }
    }

    /// <summary>Takes down what a request came to. Returns the purges to try in smaller requests: one that is unfit must not hold up its batch.</summary>
    public IReadOnlyList<IReadOnlyList<PurgeItem>> Settle(PurgeRequest request, PurgeVerdict verdict)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(verdict);
        var items = request.Items;
        lock (_gate)
        {
            foreach (var item in items) _open[item.Id]--;
            if (verdict.Result == PurgeResult.Unfit && items.Count > 1) return [[.. items.Take(items.Count / 2)], [.. items.Skip(items.Count / 2)]];
            if (verdict.Result == PurgeResult.Accepted) return [];
            foreach (var item in items) _failed.TryAdd(item.Id, verdict);
            if (verdict.Result is PurgeResult.Later or PurgeResult.Refused) _halt ??= verdict;
            return [];
        }
    }

    /// <summary>Takes down that a purge was taken but does not show.</summary>
    public void Fail(PurgeItem item, PurgeVerdict verdict)
    {
        ArgumentNullException.ThrowIfNull(item);
        lock (_gate) _failed.TryAdd(item.Id, verdict);
    }

    /// <summary>Why a purge has failed; null: it has not.</summary>
    public PurgeVerdict? FailureOf(PurgeItem item)
    {
        ArgumentNullException.ThrowIfNull(item);
        lock (_gate) return _failed.GetValueOrDefault(item.Id);
    }

    /// <summary>Whether every request of a purge was accepted. One that needs none, because the target does not serve it any more, is done too.</summary>
    public bool IsDone(PurgeItem item)
    {
        ArgumentNullException.ThrowIfNull(item);
        lock (_gate) return !_failed.ContainsKey(item.Id) && _open.GetValueOrDefault(item.Id) == 0;
    }
}
