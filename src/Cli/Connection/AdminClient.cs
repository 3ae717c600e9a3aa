using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Pipeline.Api.Admin.Shapes;

namespace Pipeline.Cli.Connection;

/// <summary>Calls the admin API. A refusal becomes a <see cref="CliException"/> with the server's own sentence.</summary>
public sealed class AdminClient : IDisposable
{
    private readonly HttpClient _http;
    private readonly Uri _url;

    /// <summary>Connects nowhere yet.</summary>
    /// <param name="address">The server.</param>
    /// <param name="handler">Sends the requests; disposed with the client.</param>
    public AdminClient(ServerAddress address, HttpMessageHandler handler)
    {
        ArgumentNullException.ThrowIfNull(address);
        _url = address.Url;
        if (address.Url.IsLoopback && handler is SocketsHttpHandler sockets) sockets.UseProxy = false;
        _http = new HttpClient(handler) { BaseAddress = address.Url };
        _http.DefaultRequestHeaders.TryAddWithoutValidation("Authorization", address.Token);
        _http.DefaultRequestHeaders.TryAddWithoutValidation("User-Agent", "pipeline");
    }

    /// <summary>The client's own HTTP client, for requests beside the admin API.</summary>
    public HttpClient Http => _http;

    /// <summary>Where it connects to, with a trailing slash.</summary>
    public Uri Url => _url;

    /// <summary>Reads.</summary>
    /// <param name="path">The path below <c>/api/v1/admin/</c>, values escaped.</param>
    /// <param name="shape">The answer's shape.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="CliException">The server is away, or refuses.</exception>
    public Task<Answer<T>> GetAsync<T>(string path, JsonTypeInfo<T> shape, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Get, path, null, shape, cancellationToken);

    /// <summary>Sends without a body.</summary>
    /// <inheritdoc cref="GetAsync"/>
    public Task<Answer<T>> SendAsync<T>(HttpMethod method, string path, JsonTypeInfo<T> shape, CancellationToken cancellationToken) =>
        SendAsync(method, path, null, shape, cancellationToken);

    /// <summary>Sends a body.</summary>
    /// <inheritdoc cref="GetAsync"/>
    public Task<Answer<T>> SendAsync<T, TBody>(
        HttpMethod method, string path, TBody body, JsonTypeInfo<TBody> bodyShape, JsonTypeInfo<T> shape, CancellationToken cancellationToken)
    {
        var content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(body, bodyShape));
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        return SendAsync(method, path, content, shape, cancellationToken);
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    private async Task<Answer<T>> SendAsync<T>(
        HttpMethod method, string path, HttpContent? content, JsonTypeInfo<T> shape, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(method, new Uri($"api/v1/admin/{path}", UriKind.Relative)) { Content = content };
        try
        {
            using var response = await _http.SendAsync(request, cancellationToken).ConfigureAwait(false);
            var body = await response.Content.ReadAsByteArrayAsync(cancellationToken).ConfigureAwait(false);
            if (!response.IsSuccessStatusCode) throw new CliException(Refusals.Read(response.StatusCode, body));
            return new Answer<T>(JsonSerializer.Deserialize(body, shape) ?? throw new JsonException("null"), body);
        }
        catch (HttpRequestException e)
        {
            throw new CliException(Away(e), e);
        }
        catch (JsonException e)
        {
            throw new CliException($"{_url} answered something that this command does not understand: is it this registry, and as new?", e);
        }
        catch (TaskCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new CliException($"the registry at {_url} did not answer in time", e);
        }
    }

    private string Away(HttpRequestException e) => e.HttpRequestError is HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError
        ? $"no registry answers at {_url}: start it with ops/run, or set PIPELINE_URL ({e.Message})"
        : $"the request to {_url} failed: {e.Message}";
}

/// <summary>An answer, read and as it came.</summary>
/// <param name="Value">The answer.</param>
/// <param name="Json">Its bytes: what <c>--json</c> prints.</param>
public sealed record Answer<T>(T Value, byte[] Json);
