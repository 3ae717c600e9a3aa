using Pipeline.Registry.Cdn;

namespace Pipeline.Registry.Tests.Cdn;

/// <summary>Purges and requests as text, for tests.</summary>
internal static class Purge
{
    public static PurgeItem Url(long id, string value, bool hard = false) => new(id, PurgeScope.Url, value, hard);

    public static PurgeItem Key(long id, string value, bool hard = false) => new(id, PurgeScope.Key, value, hard);

    public static List<PurgeItem> Keys(int count) => [.. Enumerable.Range(1, count).Select(i => Key(i, $"index:crate-{i}"))];

    public static string Text(this PurgeRequest request) => string.Join(
        ' ', new[] { request.Method, request.Url }.Concat(request.Host is { } host ? [$"host={host}"] : []).Concat(request.Headers.Select(header => $"{header.Name}={header.Value}")));
}
