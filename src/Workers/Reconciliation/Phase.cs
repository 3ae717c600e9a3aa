using System.Runtime.CompilerServices;
using Pipeline.Registry.Truth;

namespace Pipeline.Workers.Reconciliation;

/// <summary>A phase over a listing, which has no place to go on from: cut off, it begins anew, and what it found before is found again.</summary>
internal sealed class Phase(string name, Func<ReconcileRun, IAsyncEnumerable<ReconcilePage>> pages) : IReconcilePhase
{
    /// <inheritdoc/>
    public string Name => name;

    /// <inheritdoc/>
    public async IAsyncEnumerable<(ReconcilePage Page, string? Next)> PagesAsync(ReconcileRun run, string? position, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var page in pages(run).WithCancellation(cancellationToken).ConfigureAwait(false)) yield return (page, null);
    }
}
