namespace Pipeline.Registry.Cdn;

/// <summary>One provider's way to purge. Pure: it plans requests and reads answers; who sends them is <see cref="CacheClient"/>.</summary>
public interface ICachePurger
{
    /// <summary>The requests for some purges, each within the provider's limits. A purge is done when all its requests are.</summary>
    IReadOnlyList<PurgeRequest> Plan(IReadOnlyList<PurgeItem> items);

    /// <summary>The headers that need the time of sending: a signature.</summary>
    IReadOnlyList<(string Name, string Value)> Sign(PurgeRequest request, DateTimeOffset now);

    /// <summary>What an answer means.</summary>
    PurgeVerdict Judge(PurgeRequest request, CacheAnswer answer);
}
