namespace Pipeline.Registry.Cdn;

/// <summary>What an answer means for the purges of its request.</summary>
public enum PurgeResult
{
    /// <summary>Taken.</summary>
    Accepted,

    /// <summary>The target is away, slow or busy: everything for it waits.</summary>
    Later,

    /// <summary>The target refuses us: credentials or settings are wrong, and everything for it waits until somebody changes them.</summary>
    Refused,

    /// <summary>The target refuses this request; smaller ones may pass.</summary>
    Unfit,

    /// <summary>Taken, but a fetch through the cache still shows the old content.</summary>
    Stale,
}

/// <summary>The meaning of an answer.</summary>
/// <param name="Result">What follows.</param>
/// <param name="Code">A stable kebab-case word for anything but success.</param>
/// <param name="Text">One sentence without secrets.</param>
/// <param name="Wait">The shortest wait before the next try, if the target says so.</param>
public sealed record PurgeVerdict(PurgeResult Result, string Code, string Text, TimeSpan? Wait = null)
{
    /// <summary>Taken.</summary>
    public static readonly PurgeVerdict Accepted = new(PurgeResult.Accepted, "", "");

    /// <summary>What a status means at every kind of cache; null: success, and whatever only one kind knows.</summary>
    public static PurgeVerdict? OfStatus(CacheAnswer answer)
    {
        ArgumentNullException.ThrowIfNull(answer);
        return answer.Status switch
        {
            >= 200 and < 300 => Accepted,
            401 or 403 => new(PurgeResult.Refused, "cdn-credentials", $"the cache refuses our credentials ({answer.Status})"),
            408 or 425 or 429 => new(PurgeResult.Later, "cdn-busy", $"the cache asks to wait ({answer.Status})", answer.RetryAfter),
            >= 500 and not 501 => new(PurgeResult.Later, "cdn-away", $"the cache fails ({answer.Status})", answer.RetryAfter),
            >= 300 and < 400 => new(PurgeResult.Refused, "cdn-redirect", $"the cache answers a redirect ({answer.Status}), which is not followed"),
            405 or 501 => new(PurgeResult.Refused, "cdn-method", $"the cache does not know the method ({answer.Status})"),
            _ => null,
        };
    }
}
