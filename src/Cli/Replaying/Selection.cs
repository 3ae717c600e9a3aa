using Pipeline.Api.Admin.Shapes;
using Pipeline.Cli.Connection;

namespace Pipeline.Cli.Replaying;

/// <summary>The failures that a replay is about, as they stood when it began: what fails again meanwhile is not taken twice.</summary>
internal static class Selection
{
    /// <summary>How many are asked for at a time.</summary>
    public const int PageSize = 1000;

    /// <summary>Those with an id.</summary>
    public static async Task<IReadOnlyList<FailureShape>> OfIdsAsync(AdminClient client, IEnumerable<long> ids, CancellationToken cancellationToken)
    {
        var chosen = new List<FailureShape>();
        foreach (var id in ids.Distinct())
        {
            var answer = await client.GetAsync(Commands.CommonOptions.Path($"failures/{id}"), cancellationToken).ConfigureAwait(false);
            chosen.Add(answer.As(AdminJson.Default.FailureAnswer).Failure);
        }

        return chosen;
    }

    /// <summary>Those that a filter lists, oldest first.</summary>
    /// <param name="client">The server.</param>
    /// <param name="path">The path of the page behind a cursor.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public static async Task<IReadOnlyList<FailureShape>> OfFilterAsync(AdminClient client, Func<string?, string> path, CancellationToken cancellationToken)
    {
        var chosen = new List<FailureShape>();
        string? cursor = null;
        do
        {
            var page = (await client.GetAsync(path(cursor), cancellationToken).ConfigureAwait(false)).As(AdminJson.Default.FailuresAnswer);
            chosen.AddRange(page.Failures);
            cursor = page.NextCursor;
        }
        while (cursor is not null);
        chosen.Reverse();
        return chosen;
    }
}
