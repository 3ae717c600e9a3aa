namespace Pipeline.Registry.Cdn;

/// <summary>What a <c>Cdn</c> section must hold. Found wrong at start, not at the first publish.</summary>
public static class CdnRules
{
    /// <summary>Checks a section; null: it holds. Otherwise a sentence that names the key.</summary>
    public static string? Check(CdnOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.IndexSeconds < 0) return "Cdn:IndexSeconds must not be negative";
        if (options.KeepDays <= 0) return "Cdn:KeepDays must be positive";
        for (var i = 0; i < options.Targets.Count; i++)
        {
            var target = options.Targets[i];
            if (Check(target) is var (key, text)) return $"Cdn:Targets:{i}:{key} {text}";
            if (options.Targets.Take(i).Any(other => other.Name == target.Name)) return $"Cdn:Targets:{i}:Name is another target's: {target.Name}";
        }

        return null;
    }

    private static (string Key, string Text)? Check(CdnTarget target)
    {
        if (target.Name.Length is 0 or > 40 || !target.Name.All(static c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.'))
            return ("Name", "must be 1 to 40 letters, digits, `-`, `_` or `.`");
        if (target.IndexUrls.Count == 0 && target.FileUrls.Count == 0) return ("IndexUrls", "must say what the cache serves, or FileUrls");
        if (Wrong(target.IndexUrls) is { } index) return ("IndexUrls", index);
        if (Wrong(target.FileUrls) is { } files) return ("FileUrls", files);
        if (Wrong(target.Nodes) is { } nodes) return ("Nodes", nodes);
        if (target.Endpoint is { } endpoint && Wrong([endpoint]) is { } api) return ("Endpoint", api);
        if (target.BatchSize is < 1 or > 10_000) return ("BatchSize", "must be 1 to 10,000");
        if (target.Parallel is < 1 or > 64) return ("Parallel", "must be 1 to 64");
        if (target.TimeoutSeconds is <= 0 or > 60) return ("TimeoutSeconds", "must be more than 0 and at most 60");
        if (target.OriginTimeoutSeconds is < 0 or > 86_400) return ("OriginTimeoutSeconds", "must be 0 to 86,400");
        return target.Kind switch
        {
            CdnKind.Purge => null,
            _ when target.Nodes.Count > 0 => ("Nodes", "is for kind purge"),
            CdnKind.Fastly when target.Token is null => ("Token", "is missing: Fastly's API token"),
            CdnKind.Fastly when target.SurrogateKeys && string.IsNullOrEmpty(target.ServiceId) => ("ServiceId", "is missing: the service whose keys are purged"),
            CdnKind.CloudFront when string.IsNullOrEmpty(target.DistributionId) => ("DistributionId", "is missing"),
            CdnKind.CloudFront when string.IsNullOrEmpty(target.AccessKey) => ("AccessKey", "is missing"),
            CdnKind.CloudFront when target.SecretKey is null => ("SecretKey", "is missing"),
            CdnKind.CloudFront when target.Verify => ("Verify", "cannot be had of CloudFront: an invalidation takes minutes"),
            _ => null,
        };
    }

    private static string? Wrong(IReadOnlyList<string> urls)
    {
        foreach (var text in urls)
        {
            if (!Uri.TryCreate(text, UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https")) return "must be http or https URLs";
            // A password in a URL would stand in error texts.
            if (url.UserInfo.Length > 0 || url.Query.Length > 0 || url.Fragment.Length > 0) return "must be URLs without user, query and fragment";
        }

        return null;
    }
}
