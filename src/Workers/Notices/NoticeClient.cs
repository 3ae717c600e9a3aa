using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Authentication;
using Pipeline.Registry.Changes;
using Pipeline.Registry.Failures;
using Pipeline.Registry.Options;
using Pipeline.Registry.Outbound;

namespace Pipeline.Workers.Notices;

/// <summary>
/// The one HTTP client towards webhooks: only to addresses that the rules allow, through no proxy, following no redirect, and never longer than
/// the time limit. Of an answer only its status counts; at most 64 KiB of its body are read, to keep the connection.
/// </summary>
public sealed class NoticeClient : IDisposable
{
    private const int MostAnswerBytes = 64 * 1024;

    private readonly NoticeOptions _options;
    private readonly TimeProvider _clock;
    private readonly HttpMessageInvoker _http;

    /// <summary>A client.</summary>
    /// <exception cref="InvalidOperationException">A network that is allowed is none.</exception>
    public NoticeClient(NoticeOptions options, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(options);
        (_options, _clock) = (options, clock);
        var rules = new AddressRules(options.AllowedNetworks, "Notices:AllowedNetworks");
        _http = new HttpMessageInvoker(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            ConnectCallback = (context, cancellationToken) => CheckedConnect.ConnectAsync(context.DnsEndPoint, rules, cancellationToken),
            MaxConnectionsPerServer = 8,
            MaxResponseDrainSize = MostAnswerBytes,
            MaxResponseHeadersLength = MostAnswerBytes / 1024,
            // A host that moves is followed, and its new address checked, within a minute.
            PooledConnectionLifetime = TimeSpan.FromMinutes(1),
            UseCookies = false,
            UseProxy = false,
        });
    }

    /// <summary>Delivers one notice.</summary>
    /// <param name="hook">To whom.</param>
    /// <param name="id">The notice's id.</param>
    /// <param name="body">Its body.</param>
    /// <param name="cancellationToken">Ends the wait; the receiver may have been told.</param>
    /// <exception cref="TransientException">It was not taken: codes <c>webhook-away</c>, <c>webhook-refused</c>, <c>webhook-forbidden</c>.</exception>
    public async Task SendAsync(Webhook hook, string id, byte[] body, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(hook);
        ArgumentNullException.ThrowIfNull(body);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(TimeSpan.FromSeconds(_options.TimeoutSeconds));
        try
        {
            using var message = Message(hook, id, body);
            using var response = await _http.SendAsync(message, limit.Token).ConfigureAwait(false);
            if (response.IsSuccessStatusCode) return;
            throw new TransientException("webhook-refused", string.Create(CultureInfo.InvariantCulture, $"the webhook answered with status {(int)response.StatusCode}"));
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TransientException("webhook-away", string.Create(CultureInfo.InvariantCulture, $"the webhook did not answer within {_options.TimeoutSeconds} s"), e);
        }
        catch (HttpRequestException e) when (e.InnerException is ForbiddenAddressException forbidden)
        {
            throw new TransientException("webhook-forbidden", $"{forbidden.Message} (Notices:AllowedNetworks)", e);
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            var trouble = e is HttpRequestException http ? http.InnerException is AuthenticationException ? "its certificate is not trusted" : http.HttpRequestError.ToString() : "the connection broke";
            throw new TransientException("webhook-away", $"the webhook cannot be reached ({trouble})", e);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    private HttpRequestMessage Message(Webhook hook, string id, byte[] body)
    {
        var key = WebhookRules.Key(hook.Secret) ?? throw new InvalidOperationException($"the secret of webhook {hook.Id} is none");
        // Taken anew for each delivery: receivers refuse what is older than some minutes.
        var timestamp = _clock.GetUtcNow().ToUnixTimeSeconds();
        var message = new HttpRequestMessage(HttpMethod.Post, hook.Url) { Content = new ByteArrayContent(body) };
        message.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        message.Headers.TryAddWithoutValidation("User-Agent", "pipeline-notices");
        message.Headers.TryAddWithoutValidation("webhook-id", id);
        message.Headers.TryAddWithoutValidation("webhook-timestamp", timestamp.ToString(CultureInfo.InvariantCulture));
        message.Headers.TryAddWithoutValidation("webhook-signature", NoticeRules.Sign(key, id, timestamp, body));
        return message;
    }
}
