using System.Net;
using System.Net.Sockets;
using Amazon.Runtime;
using Pipeline.Registry.Failures;
using Pipeline.Registry.Telemetry;

namespace Pipeline.Registry.Store;

/// <summary>Runs calls to an S3 server with bounded patience and a bounded number of tries, and says in one place what each failure means.</summary>
internal sealed class S3Calls(S3Options options)
{
    private const string Away = "store-away";
    private const int FirstDelayMilliseconds = 50;
    private const double BytesPerSecond = 1024 * 1024;

    /// <summary>Makes a call, again where that may help.</summary>
    /// <param name="what">The operation and its key, for the text of a failure.</param>
    /// <param name="call">The call; it is told which try it is, from 1, and may be repeated.</param>
    /// <param name="length">How many bytes it moves, at most.</param>
    /// <param name="cancellationToken">Ends it at once.</param>
    /// <exception cref="TransientException">The store is away, refuses or is full.</exception>
    public async ValueTask<T> TryAsync<T>(string what, Func<int, CancellationToken, Task<T>> call, long length, CancellationToken cancellationToken)
    {
        for (var tries = 1; ; tries++)
        {
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            patience.CancelAfter(options.Timeout + TimeSpan.FromSeconds(length / BytesPerSecond));
            try
            {
                PipelineMeter.StoreRequests.Add(1);
                return await call(tries, patience.Token).ConfigureAwait(false);
            }
            catch (Exception e) when (!cancellationToken.IsCancellationRequested && Translate(e, what) is { } failure)
            {
                if (tries >= options.Attempts || failure is not TransientException { Code: Away }) throw failure;
            }

            // Half of it at random, so that what failed together does not come back together.
            var delay = FirstDelayMilliseconds << Math.Min(tries, 6);
            await Task.Delay(Random.Shared.Next(delay / 2, delay), cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>
    /// What a failure of the SDK or the network means; null: it is none of theirs. The SDK's exceptions never go on, not even as a cause:
    /// an answer's text can hold the access key and what was signed.
    /// </summary>
    public static Exception? Translate(Exception exception, string what) => exception switch
    {
        TransientException known => known,
        AmazonServiceException answer => Answered(answer, what),
        HttpRequestException or IOException or SocketException or OperationCanceledException or AmazonClientException =>
            new TransientException(Away, $"the object store cannot be reached ({Reason(exception)}): {what}"),
        _ => null,
    };

    /// <summary>Whether there is no such object. A bucket that is missing is another matter.</summary>
    public static bool IsMissing(AmazonServiceException e) => e.StatusCode == HttpStatusCode.NotFound && e.ErrorCode != "NoSuchBucket";

    private static Exception Answered(AmazonServiceException answer, string what)
    {
        var (status, code) = ((int)answer.StatusCode, Word(answer.ErrorCode));
        var text = $"the object store answered {status} {code}: {what}";
        return (status, code) switch
        {
            (507, _) or (403, "QuotaExceeded") => new TransientException("store-full", text),
            // Wrong keys or rights, a clock that is off, no bucket: it works again when somebody has put it right.
            (401 or 403, _) or (404, "NoSuchBucket") or (301 or 307 or 308, _) => new TransientException("store-refused", text),
            // 409: two conditional writes met. 400: bytes were lost or changed on the way, or came too slowly.
            ( >= 500 or 0 or 408 or 409 or 429, _) or (400, "RequestTimeout" or "IncompleteBody" or "BadDigest" or "XAmzContentSHA256Mismatch") => new TransientException(Away, text),
            _ => new InvalidOperationException(text),
        };
    }

    // A code is one word; whatever else a server sends in its place is not for our logs.
    private static string Word(string? code) => code is { Length: > 0 and <= 64 } && code.All(char.IsAsciiLetterOrDigit) ? code : "without a code";

    private static string Reason(Exception exception)
    {
        // Not the messages: they name the server, and this text reaches clients.
        while (exception is not OperationCanceledException && exception.InnerException is { } inner) exception = inner;
        return exception switch
        {
            OperationCanceledException => "no answer in time",
            SocketException socket => socket.SocketErrorCode.ToString(),
            HttpRequestException http => http.HttpRequestError.ToString(),
            HttpIOException http => http.HttpRequestError.ToString(),
            _ => exception.GetType().Name,
        };
    }
}
