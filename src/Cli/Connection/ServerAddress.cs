namespace Pipeline.Cli.Connection;

/// <summary>Where the registry is and how to prove who asks.</summary>
/// <param name="Url">Its URL, with a trailing slash.</param>
/// <param name="Token">The token to send.</param>
public sealed record ServerAddress(Uri Url, string Token)
{
    private const string UrlVariable = "PIPELINE_URL";
    private const string TokenVariable = "PIPELINE_TOKEN";

    /// <summary>
    /// From <c>PIPELINE_URL</c> and <c>PIPELINE_TOKEN</c>, else the local instance, which leaves both in its data folder. The local
    /// token is never sent to another machine.
    /// </summary>
    /// <exception cref="CliException">One of them is not known.</exception>
    public static ServerAddress Resolve(Func<string, string?> environment, string data)
    {
        ArgumentNullException.ThrowIfNull(environment);
        var url = UrlOf(environment(UrlVariable) is { Length: > 0 } given ? given : ReadLocal(data, "url") ?? throw NoUrl(data));
        return new ServerAddress(url, environment(TokenVariable) is { Length: > 0 } token ? token : LocalToken(url, data));
    }

    /// <summary>Where the local instance serves, or served last, without a trailing slash; null: none was started.</summary>
    public static string? LocalUrl(string data) => ReadLocal(data, "url")?.TrimEnd('/');

    private static Uri UrlOf(string text) =>
        Uri.TryCreate(text.TrimEnd('/') + "/", UriKind.Absolute, out var url) && url.Scheme is "http" or "https"
            ? url
            : throw new CliException($"{UrlVariable} is no http or https URL: {text}");

    private static string LocalToken(Uri url, string data)
    {
        if (!url.IsLoopback) throw new CliException($"{TokenVariable} is not set, and the local admin token is not sent to {url.Host}");
        return ReadLocal(data, "admin-token")
            ?? throw new CliException($"there is no admin token in {Path.GetFullPath(data)}: set {TokenVariable}, or PIPELINE_DATA to the server's data folder");
    }

    private static CliException NoUrl(string data) => new(
        $"no registry is known: none has been started with the data folder {Path.GetFullPath(data)}. "
        + $"Start one with ops/run, set PIPELINE_DATA to its data folder, or {UrlVariable} and {TokenVariable} to one elsewhere");

    private static string? ReadLocal(string data, string name)
    {
        try
        {
            var text = File.ReadAllText(Path.Combine(data, name)).Trim();
            return text.Length == 0 ? null : text;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (UnauthorizedAccessException e)
        {
            throw new CliException($"{Path.Combine(data, name)} may not be read by this user", e);
        }
    }
}
