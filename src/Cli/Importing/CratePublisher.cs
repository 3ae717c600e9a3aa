using System.Buffers.Binary;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Pipeline.Cli.Connection;

namespace Pipeline.Cli.Importing;

/// <summary>
/// Publishes a .crate over HTTP as cargo does, and reads the answer as cargo does (cargo-client-behaviour §1.2, §1.4). A registry that is
/// away or overloaded is waited for; publishing again is safe, for the same bytes are a success.
/// </summary>
/// <param name="http">Sends the requests; proves who asks.</param>
/// <param name="allowMissing">Whether dependencies need not be known yet: only an administrator may ask for this.</param>
/// <param name="pause">Waits between tries.</param>
internal sealed class CratePublisher(HttpClient http, bool allowMissing, Func<TimeSpan, CancellationToken, Task> pause)
{
    private const int MaxAttempts = 10;
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);

    /// <summary>Publishes.</summary>
    /// <returns>How it ended, and why it failed.</returns>
    public async Task<(ImportEnd End, string? Reason)> PublishAsync(PublishJson json, byte[] crate, CancellationToken cancellationToken)
    {
        var body = BodyOf(json.Json, crate);
        for (var attempt = 1; ; attempt++)
        {
            var (status, refusal, retryAfter) = await PutAsync(body, cancellationToken).ConfigureAwait(false);
            if (refusal is null) return (ImportEnd.Published, null);
            var passes = status is null or HttpStatusCode.ServiceUnavailable or HttpStatusCode.BadGateway or HttpStatusCode.GatewayTimeout;
            if (passes && attempt < MaxAttempts)
            {
                await pause(PauseAfter(attempt, retryAfter), cancellationToken).ConfigureAwait(false);
                continue;
            }

            return status is not null && await IsThereAsync(json, crate, cancellationToken).ConfigureAwait(false) ? (ImportEnd.Present, null) : (ImportEnd.Failed, refusal);
        }
    }

    private static byte[] BodyOf(byte[] json, byte[] crate)
    {
        var body = new byte[8 + json.Length + crate.Length];
        BinaryPrimitives.WriteInt32LittleEndian(body, json.Length);
        json.CopyTo(body, 4);
        BinaryPrimitives.WriteInt32LittleEndian(body.AsSpan(4 + json.Length), crate.Length);
        crate.CopyTo(body, 8 + json.Length);
        return body;
    }

    private static TimeSpan PauseAfter(int attempt, TimeSpan? asked)
    {
        var own = TimeSpan.FromSeconds(Math.Pow(2, attempt - 2) * (0.75 + (Random.Shared.NextDouble() / 2)));
        var pause = asked > own ? asked.Value : own;
        return pause < LongestPause ? pause : LongestPause;
    }

    private async Task<(HttpStatusCode? Status, string? Refusal, TimeSpan? RetryAfter)> PutAsync(byte[] body, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Put, new Uri("api/v1/crates/new", UriKind.Relative)) { Content = new ByteArrayContent(body) };
        if (allowMissing) request.Headers.TryAddWithoutValidation("Pipeline-Allow-Missing-Dependencies", "true");
        try
        {
            using var response = await http.SendAsync(request, cancellationToken).ConfigureAwait(false);
            var answer = await response.Content.ReadAsByteArrayAsync(cancellationToken).ConfigureAwait(false);
            return (response.StatusCode, RefusalIn(response, answer), response.Headers.RetryAfter?.Delta);
        }
        catch (HttpRequestException e)
        {
            return (null, AdminClient.Away(http.BaseAddress!, e), null);
        }
        catch (TaskCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return (null, $"{http.BaseAddress} did not answer in time", null);
        }
    }

    /// <summary>The refusal of an answer; null: accepted. After a long wait the status is 200 whatever the verdict, with blanks before it.</summary>
    private static string? RefusalIn(HttpResponseMessage response, byte[] answer)
    {
        if (Refusals.Find(answer) is { } refusal) return refusal;
        return response.IsSuccessStatusCode ? Undecided(answer) : Refusals.Read(response.StatusCode, answer);
    }

    // The server stopped waiting for the verdict: it names the status URL in a warning.
    private static string? Undecided(byte[] answer)
    {
        var text = Encoding.UTF8.GetString(answer);
        if (string.IsNullOrWhiteSpace(text)) return null;
        try
        {
            using var document = JsonDocument.Parse(text);
            var root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object || root.TryGetProperty("crate", out _)) return null;
            return root.TryGetProperty("warnings", out var warnings) && warnings.TryGetProperty("other", out var other) && other.GetArrayLength() > 0
                ? $"undecided: {other[0].GetString()}"
                : null;
        }
        catch (JsonException)
        {
            return "the server answered with something that is not JSON";
        }
    }

    private async Task<bool> IsThereAsync(PublishJson json, byte[] crate, CancellationToken cancellationToken)
    {
        try
        {
            var path = $"api/v1/crates/{Uri.EscapeDataString(json.Name)}/{Uri.EscapeDataString(json.Version)}";
            using var response = await http.GetAsync(new Uri(path, UriKind.Relative), cancellationToken).ConfigureAwait(false);
            if (!response.IsSuccessStatusCode) return false;
            using var document = JsonDocument.Parse(await response.Content.ReadAsByteArrayAsync(cancellationToken).ConfigureAwait(false));
            return document.RootElement.TryGetProperty("version", out var version)
                && version.TryGetProperty("checksum", out var checksum)
                && checksum.GetString() == Convert.ToHexStringLower(SHA256.HashData(crate));
        }
        catch (Exception e) when (e is HttpRequestException or JsonException)
        {
            // The refusal stands: it is what the user is told.
            return false;
        }
    }

    /// <summary>What a registry calls itself, from the <c>config.json</c> of its sparse index; null: it cannot be read.</summary>
    public static async Task<string?> OwnUrlAsync(HttpClient http, CancellationToken cancellationToken)
    {
        try
        {
            var bytes = await http.GetByteArrayAsync(new Uri("index/config.json", UriKind.Relative), cancellationToken).ConfigureAwait(false);
            using var document = JsonDocument.Parse(bytes);
            return document.RootElement.TryGetProperty("api", out var api) ? api.GetString() : null;
        }
        catch (Exception e) when (e is HttpRequestException or JsonException)
        {
            return null;
        }
    }
}
