namespace Pipeline.Registry.Cdn;

/// <summary>How a cache is told to forget.</summary>
public enum CdnKind
{
    /// <summary>A request with a method of its own to each cache: Varnish, Squid, nginx.</summary>
    Purge,

    /// <summary>Fastly's API.</summary>
    Fastly,

    /// <summary>CloudFront's API.</summary>
    CloudFront,
}
