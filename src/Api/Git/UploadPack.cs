using System.Buffers;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
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
        try
        {
            if (!repository.Exists || !await slots.EnterAsync(stop.Token).ConfigureAwait(false))
            {
                await BusyAsync(context).ConfigureAwait(false);
                return;
            }

            try
            {
                NoCache(context.Response);
                context.Response.ContentType = contentType;
                await RunAsync(context, protocol, advertise, stop).ConfigureAwait(false);
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
    }

    private async Task RunAsync(HttpContext context, string? protocol, bool advertise, CancellationTokenSource stop)
    {
        using var clock = new ProgressClock(TimeSpan.FromSeconds(options.IdleSeconds), TimeSpan.FromSeconds(options.TotalSeconds), stop);
        // One thread each: many fetches share the processors with the registry itself.
        string[] command = ["-c", "pack.threads=1", "upload-pack", "--strict", "--stateless-rpc"];
        await using var child = git.Start(null, advertise ? [.. command, "--http-backend-info-refs", repository.Path] : [.. command, repository.Path], protocol);
        var feeding = advertise ? EndInput(child) : FeedAsync(context, child, clock, stop);
        try
        {
            var head = advertise && GitProtocolHeader.Version(protocol) < 2 ? ServiceLine : ReadOnlyMemory<byte>.Empty;
            await CopyAsync(child.Output, context.Response.Body, head, clock, stop.Token).ConfigureAwait(false);
        }
        finally
        {
            // A body that cannot be taken stops the answer: that is the failure to tell, not the stop.
            await feeding.ConfigureAwait(false);
        }

        var (exitCode, errors) = await child.EndAsync(stop.Token).ConfigureAwait(false);
        // Usually a request that git refuses, and says so to the client; so no warning.
        if (exitCode != 0) logger.LogInformation("git upload-pack ended with {ExitCode}: {Errors}", exitCode, errors);
        if (exitCode != 0 && !context.Response.HasStarted) await PlainText.WriteAsync(context, 500, "git upload-pack failed").ConfigureAwait(false);
    }

    private async Task FeedAsync(HttpContext context, GitChild child, ProgressClock clock, CancellationTokenSource stop)
    {
        try
        {
            await FetchRequestBody.FeedAsync(context.Request, child, options.MaxRequestBytes, clock.Progress, stop.Token).ConfigureAwait(false);
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
    private static async Task CopyAsync(Stream from, Stream to, ReadOnlyMemory<byte> head, ProgressClock clock, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            while (await from.ReadAsync(buffer, cancellationToken).ConfigureAwait(false) is var read and > 0)
            {
                if (!head.IsEmpty) await to.WriteAsync(head, cancellationToken).ConfigureAwait(false);
                head = ReadOnlyMemory<byte>.Empty;
                await to.WriteAsync(buffer.AsMemory(0, read), cancellationToken).ConfigureAwait(false);
                clock.Progress();
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
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
