using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Pipeline.Cli.Connection;

/// <summary>Calls the admin API. A refusal becomes a <see cref="CliException"/> with the server's own sentence.</summary>
public sealed class AdminClient : IDisposable
{
    private readonly Uri _url;

    /// <summary>Connects nowhere yet.</summary>
    /// <param name="address">The server.</param>
    /// <param name="handler">Sends the requests; disposed with the client.</param>
    public AdminClient(ServerAddress address, HttpMessageHandler handler)
    {
        ArgumentNullException.ThrowIfNull(address);
        _url = address.Url;
        if (address.Url.IsLoopback && handler is SocketsHttpHandler sockets) sockets.UseProxy = false;
        Http = new HttpClient(handler) { BaseAddress = address.Url };
        Http.DefaultRequestHeaders.TryAddWithoutValidation("Authorization", address.Token);
        Http.DefaultRequestHeaders.TryAddWithoutValidation("User-Agent", "pipeline");
    }

    /// <summary>The HTTP client, which proves who asks: for requests beside the admin API.</summary>
    public HttpClient Http { get; }

    /// <summary>Reads.</summary>
    /// <param name="path">The path below <c>/api/v1/admin/</c>, values escaped.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="CliException">The server is away, or refuses.</exception>
    public Task<Answer> GetAsync(string path, CancellationToken cancellationToken) => SendAsync(HttpMethod.Get, path, null, cancellationToken);

    /// <summary>Reads beside the admin API.</summary>
    /// <param name="path">The path below <c>/api/v1/</c>, values escaped.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="CliException">The server is away, or refuses.</exception>
    public Task<Answer> ReadAsync(string path, CancellationToken cancellationToken) => CallAsync(HttpMethod.Get, $"api/v1/{path}", null, cancellationToken);

    /// <summary>Sends, perhaps with a body.</summary>
    /// <param name="method">The method.</param>
    /// <param name="path">The path below <c>/api/v1/admin/</c>, values escaped.</param>
    /// <param name="body">Writes the members of the JSON body; null: no body.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="CliException">The server is away, or refuses.</exception>
    public Task<Answer> SendAsync(HttpMethod method, string path, Action<Utf8JsonWriter>? body, CancellationToken cancellationToken) =>
        CallAsync(method, $"api/v1/admin/{path}", body, cancellationToken);

    /// <inheritdoc/>
    public void Dispose() => Http.Dispose();

    /// <summary>The sentence for a request that got no answer.</summary>
    internal static string Away(Uri url, HttpRequestException e) => e.HttpRequestError is HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError
        ? $"no registry answers at {url}: start it with ops/run, or set PIPELINE_URL ({e.Message})"
        : $"the request to {url} failed: {e.Message}";

    private async Task<Answer> CallAsync(HttpMethod method, string path, Action<Utf8JsonWriter>? body, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(method, new Uri(path, UriKind.Relative)) { Content = body is null ? null : ContentOf(body) };
        try
        {
            using var response = await Http.SendAsync(request, cancellationToken).ConfigureAwait(false);
            var json = await response.Content.ReadAsByteArrayAsync(cancellationToken).ConfigureAwait(false);
            return response.IsSuccessStatusCode ? Answer.Of(json) : throw new CliException(Refusals.Read(response.StatusCode, json));
        }
        catch (HttpRequestException e)
        {
            throw new CliException(Away(_url, e), e);
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

    private static ByteArrayContent ContentOf(Action<Utf8JsonWriter> body)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            body(json);
            json.WriteEndObject();
        }

        var content = new ByteArrayContent(buffer.ToArray());
        content.Headers.TryAddWithoutValidation("Content-Type", "application/json");
        return content;
    }
}

/// <summary>An answer as it came. Short commands look at members of it: the serialiser costs more start-up time than all else they do.</summary>
/// <param name="Json">Its bytes: what <c>--json</c> prints.</param>
/// <param name="Root">The object.</param>
public sealed record Answer(byte[] Json, JsonElement Root)
{
    /// <summary>Takes the answer's bytes.</summary>
    /// <exception cref="JsonException">They are no JSON.</exception>
    public static Answer Of(byte[] json)
    {
        using var document = JsonDocument.Parse(json);
        return new Answer(json, document.RootElement.Clone());
    }

    /// <summary>The whole answer in its shape.</summary>
    /// <exception cref="CliException">It has another.</exception>
    public T As<T>(JsonTypeInfo<T> shape)
    {
        try
        {
            return JsonSerializer.Deserialize(Json, shape) ?? throw new JsonException("null");
        }
        catch (JsonException e)
        {
            throw new CliException("the server answered something that this command does not understand: is it as new?", e);
        }
    }

    /// <summary>A text or number below members of that name, for a sentence.</summary>
    /// <exception cref="CliException">It is not there.</exception>
    public string Text(params ReadOnlySpan<string> path)
    {
        var value = Root;
        foreach (var name in path)
        {
            if (value.ValueKind != JsonValueKind.Object || !value.TryGetProperty(name, out value))
                throw new CliException("the server answered something that this command does not understand: is it as new?");
        }

        return value.ToString();
    }
}
