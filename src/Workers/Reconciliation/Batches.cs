using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;

namespace Pipeline.Workers.Reconciliation;

/// <summary>Listings in handfuls, each asked about in one question.</summary>
internal static class Batches
{
    private const int Size = 500;

    /// <summary>A listing in batches.</summary>
    public static async IAsyncEnumerable<List<T>> OfAsync<T>(IAsyncEnumerable<T> items, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var batch = new List<T>(Size);
        await foreach (var item in items.WithCancellation(cancellationToken).ConfigureAwait(false))
        {
            batch.Add(item);
            if (batch.Count < Size) continue;
            yield return batch;
            batch = new List<T>(Size);
        }

        if (batch.Count > 0) yield return batch;
    }

    /// <summary>Texts as the JSON array that <see cref="Registry.Database.Dialect.TextList"/> takes.</summary>
    public static string Json(IEnumerable<string> texts)
    {
        var list = new JsonArray();
        foreach (var text in texts) list.Add(text);
        return list.ToJsonString();
    }
}
