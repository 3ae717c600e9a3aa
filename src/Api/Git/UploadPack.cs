using System.Diagnostics;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Pipeline.Api.Access;
using Pipeline.Api.Http;
using Pipeline.Registry.Failures;
using Pipeline.Registry.Git;

namespace Pipeline.Api.Git;

/// <summary>
/// Serves fetches: runs <c>git upload-pack</c> for each request as git's smart HTTP protocol has it, streaming both ways. The writer
/// commits and repacks meanwhile; git's readers find their objects again.
/// </summary>
public sealed class UploadPack(GitProgram git, IndexRepository repository, GitServeOptions options, FetchSlots slots, ILogger<UploadPack> logger)
{
    private const int BufferSize = 1 << 16;
    private const string RetryAfterSeconds = "5";
    private const long LeastRate = 4 << 10;
    private const long LeastRateContended = 32 << 10;
    private static readonly TimeSpan ClientPatience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan ProbeLimit = TimeSpan.FromSeconds(10);

    // How git's first two protocols begin an advertisement; the third does without.
    private static readonly byte[] ServiceLine = "001e# service=git-upload-pack\n0000"u8.ToArray();

    /// <summary>Answers <c>info/refs</c>: what there is to fetch.</summary>
    public Task AdvertiseAsync(HttpContext context) => ServeAsync(context, "application/x-git-upload-pack-advertisement", advertise: true);

    /// <summary>Answers <c>git-upload-pack</c>: the fetch itself, or one round of it.</summary>
    public Task AnswerAsync(HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (context.Request.ContentType != "application/x-git-upload-pack-request") return PlainText.WriteAsync(context, 415, "a fetch is sent as application/x-git-upload-pack-request");
        if (!FetchRequestBody.IsUnderstood(context.Request)) return PlainText.WriteAsync(context, 415, "a fetch is sent plain or as gzip");
        if (context.Request.ContentLength > options.MaxRequestBytes) return PlainText.WriteAsync(context, 413, "the request body is too long for a fetch");
        return ServeAsync(context, "application/x-git-upload-pack-result", advertise: false);
    }

    private async Task ServeAsync(HttpContext context, string contentType, bool advertise)
    {
        string? protocol = context.Request.Headers["Git-Protocol"];
        if (protocol is not null && !GitProtocolHeader.IsValid(protocol))
        {
            await PlainText.WriteAsync(context, 400, "the Git-Protocol header cannot be understood").ConfigureAwait(false);
            return;
        }

        using var stop = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        FetchRequestBody? body = null;
        try
        {
            if (!repository.Exists)
            {
                await BusyAsync(context).ConfigureAwait(false);
                return;
            }

            if (!advertise && (body = await TakeBodyAsync(context).ConfigureAwait(false)) is null) return;
            if (!await slots.EnterAsync(stop.Token).ConfigureAwait(false))
            {
                await BusyAsync(context).ConfigureAwait(false);
                return;
            }

            try
            {
                NoCache(context.Response);
                context.Response.ContentType = contentType;
                await RunAsync(context, protocol, body, stop).ConfigureAwait(false);
            }
            finally
            {
                slots.Leave();
            }
        }
        catch (BadHttpRequestException e)
        {
            await GiveUpAsync(context, e.StatusCode, e.Message).ConfigureAwait(false);
        }
        catch (TransientException e)
        {
            logger.LogWarning(e, "the git index cannot be served now ({Code})", e.Code);
            await BusyAsync(context).ConfigureAwait(false);
        }
        catch (Exception e) when (e is ConnectionResetException || (e is OperationCanceledException && context.RequestAborted.IsCancellationRequested))
        {
            // The client went away; git was ended with the request.
        }
        catch (OperationCanceledException)
        {
            await GiveUpAsync(context, 503, "the fetch took too long").ConfigureAwait(false);
        }
        finally
        {
            body?.Dispose();
        }
    }

    /// <summary>Takes the request before the fetch has its turn; null: the refusal was answered.</summary>
    private async Task<FetchRequestBody?> TakeBodyAsync(HttpContext context)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        using var clock = new ProgressClock(TimeSpan.FromSeconds(options.IdleSeconds), TimeSpan.FromSeconds(options.TotalSeconds), stop);
        FetchRequestBody? body = null;
        try
        {
            body = await FetchRequestBody.ReadAsync(context.Request, options.MaxRequestBytes, slots.Bodies, clock.Progress, stop.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!context.RequestAborted.IsCancellationRequested)
        {
            throw new BadHttpRequestException("the request body comes too slowly", StatusCodes.Status408RequestTimeout);
        }
        catch (IOException e) when (BodyTrouble.Of(e) is { } trouble)
        {
            throw trouble;
        }

        // Who may read is judged as it stands now, not as it stood when the request began.
        if (context.Features.Get<IReadPolicy>() is not { } policy || await policy.StillAllowsAsync().ConfigureAwait(false)) return body;
        body.Dispose();
        return null;
    }

    private async Task RunAsync(HttpContext context, string? protocol, FetchRequestBody? body, CancellationTokenSource stop)
    {
        var advertise = body is null;
        using var clock = new ProgressClock(TimeSpan.FromSeconds(options.IdleSeconds), TimeSpan.FromSeconds(options.TotalSeconds), stop);
        // One thread each: many fetches share the processors with the registry itself.
        string[] command = ["-c", "pack.threads=1", "upload-pack", "--strict", "--stateless-rpc"];
        await using var child = git.Start(null, advertise ? [.. command, "--http-backend-info-refs", repository.Path] : [.. command, repository.Path], protocol);
        var feeding = body is null ? EndInput(child) : FeedAsync(body, child, clock, stop);
        try
        {
            var head = advertise && GitProtocolHeader.Version(protocol) < 2 ? ServiceLine : ReadOnlyMemory<byte>.Empty;
            await CopyAsync(child.Output, context, head, clock, stop.Token).ConfigureAwait(false);
        }
        finally
        {
            // A body that cannot be taken stops the answer: that is the failure to tell, not the stop.
            await feeding.ConfigureAwait(false);
        }

        var (exitCode, errors) = await child.EndAsync(stop.Token).ConfigureAwait(false);
        // Usually a request that git refuses, and says so to the client; so no warning.
        if (exitCode != 0) logger.LogInformation("git upload-pack ended with {ExitCode}: {Errors}", exitCode, errors);
        if (exitCode == 0 || context.Response.HasStarted) return;
        // Without a word git gives up on what it cannot read, and when the repository is in trouble: then it could advertise nothing either.
        if (!advertise && await IsSoundAsync(stop.Token).ConfigureAwait(false)) await PlainText.WriteAsync(context, 400, "git cannot make sense of this request").ConfigureAwait(false);
        else await PlainText.WriteAsync(context, 500, "git upload-pack failed").ConfigureAwait(false);
    }

    private async Task<bool> IsSoundAsync(CancellationToken cancellationToken)
    {
        var result = await git.RunAsync(null, ["upload-pack", "--strict", "--stateless-rpc", "--http-backend-info-refs", repository.Path], ReadOnlyMemory<byte>.Empty, ProbeLimit, cancellationToken).ConfigureAwait(false);
        return result.ExitCode == 0;
    }

    private async Task FeedAsync(FetchRequestBody body, GitChild child, ProgressClock clock, CancellationTokenSource stop)
    {
        try
        {
            await body.FeedAsync(child, options.MaxRequestBytes, clock.Progress, stop.Token).ConfigureAwait(false);
        }
        catch
        {
            await stop.CancelAsync().ConfigureAwait(false);
            throw;
        }
    }

    private static Task EndInput(GitChild child)
    {
        child.CloseInput();
        return Task.CompletedTask;
    }

    // The head goes out with git's first word only: until then a failure can still be told by a status.
    private async Task CopyAsync(Stream from, HttpContext context, ReadOnlyMemory<byte> head, ProgressClock clock, CancellationToken cancellationToken)
    {
        var (to, pace) = (context.Response.Body, new Pace(ClientPatience));
        // Not from the pool: a client that is given up may leave the server still writing from it.
        var buffer = new byte[BufferSize];
        while (await from.ReadAsync(buffer, cancellationToken).ConfigureAwait(false) is var read and > 0)
        {
            if (!head.IsEmpty) await to.WriteAsync(head, cancellationToken).ConfigureAwait(false);
            head = ReadOnlyMemory<byte>.Empty;
            await GiveAsync(to, buffer.AsMemory(0, read), pace, cancellationToken).ConfigureAwait(false);
            clock.Progress();
        }
    }

    /// <summary>Sends to the client, which must take it: who does not would keep a turn from others.</summary>
    private async ValueTask GiveAsync(Stream to, ReadOnlyMemory<byte> bytes, Pace pace, CancellationToken cancellationToken)
    {
        var writing = to.WriteAsync(bytes, cancellationToken);
        if (!writing.IsCompleted)
        {
            var started = Stopwatch.GetTimestamp();
            try
            {
                await writing.AsTask().WaitAsync(pace.Left > TimeSpan.Zero ? pace.Left : TimeSpan.Zero, cancellationToken).ConfigureAwait(false);
            }
            catch (TimeoutException e)
            {
                throw new OperationCanceledException("the client does not take its answer", e);
            }

            pace.Waited(Stopwatch.GetElapsedTime(started));
        }
        else
        {
            await writing.ConfigureAwait(false);
        }

        pace.Moved(bytes.Length, slots.IsContended ? LeastRateContended : LeastRate);
    }

    // Nothing between may keep an answer: what it says is old with the next commit.
    private static void NoCache(HttpResponse response)
    {
        response.Headers.Expires = "Tue, 01 Jan 1980 00:00:00 GMT";
        response.Headers.Pragma = "no-cache";
        response.Headers.CacheControl = "no-cache, max-age=0, must-revalidate";
    }

    private static Task BusyAsync(HttpContext context)
    {
        if (!context.Response.HasStarted) context.Response.Headers.RetryAfter = RetryAfterSeconds;
        return GiveUpAsync(context, 503, "the git index is busy, try again in a moment");
    }

    private static Task GiveUpAsync(HttpContext context, int status, string text)
    {
        if (!context.Response.HasStarted) return PlainText.WriteAsync(context, status, text);
        // An answer cut off must not look like a whole one.
        context.Abort();
        return Task.CompletedTask;
    }
}
