using System.Diagnostics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Pipeline.Api.Http;
using Pipeline.Contracts;
using Pipeline.Contracts.Publishing;
using Pipeline.Registry.Database;
using Pipeline.Registry.Failures;
using Pipeline.Registry.Identity;
using Pipeline.Registry.Options;

namespace Pipeline.Api.Publishing;

/// <summary>
/// <c>PUT /api/v1/crates/new</c>: the checks that need no archive (crates-io-behaviour §1.4 rows 1 to 16, in that order),
/// then the upload is parked, and the answer is the verdict.
/// </summary>
internal sealed class PublishEndpoint(
    IDatabase database, Authenticator authenticator, PublishAdmission admission, ReadOnlyGate readOnly, MetadataRoom room, UnfinishedUploads unfinished, StagingLevel staging, StoreReach reach, Intake intake, VerdictAnswer answer, RegistryOptions registry)
{
    private const uint MaxJsonBytes = 1024 * 1024;

    /// <summary>The header by which an administrator's import says that dependencies may follow later.</summary>
    private const string AllowMissingHeader = "Pipeline-Allow-Missing-Dependencies";

    /// <summary>Maps the endpoint.</summary>
    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapPut("/api/v1/crates/new", static (HttpContext context, PublishEndpoint endpoint) => endpoint.HandleAsync(context));

    /// <summary>The refusal of a .crate that is larger than its crate takes.</summary>
    internal static Reject TooLarge(long maxUpload) => new(RejectCodes.LimitExceeded, StatusCodes.Status413PayloadTooLarge, $"max upload size is: {maxUpload}");

    private async Task HandleAsync(HttpContext context)
    {
        var started = Stopwatch.GetTimestamp();
        // The body is bounded part by part; the server's own limit would answer in the wrong words.
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit) limit.MaxRequestBodySize = null;
        var (parked, refused) = await TakeAsync(context, started).ConfigureAwait(false);
        if (parked is not null) await answer.WriteAsync(context, parked.Id, () => intake.RingAsync(parked)).ConfigureAwait(false);
        else await RefuseAsync(context, refused).ConfigureAwait(false);
    }

    /// <summary>Takes the upload, or says what refuses it. What came of it stays in memory no longer than this takes, however long the verdict does.</summary>
    private async Task<(ParkedPublish? Parked, Admission Refused)> TakeAsync(HttpContext context, long started)
    {
        var body = new PublishBody(context.Request.BodyReader);
        using var held = new HeldMetadata(room, async () => (await context.AuthenticateAsync().ConfigureAwait(false)).Succeeded);
        try
        {
            var (upload, reject) = await ReadUploadAsync(context, body, held, started).ConfigureAwait(false);
            return upload is null ? (null, new Admission(reject)) : await ParkAsync(context, body, held, upload).ConfigureAwait(false);
        }
        catch (TransientException e) when (e.Code == HeldMetadata.NoRoom)
        {
            // Said to the client alone: strangers who come in crowds shall not fill the log either.
            context.Response.Headers.Connection = "close";
            return (null, Later(e.Message));
        }
    }

    private static async Task RefuseAsync(HttpContext context, Admission refused)
    {
        if (refused.RetryAfter is { } retryAfter) context.Response.Headers.RetryAfter = retryAfter;
        // What is left of the body is not read: cargo shows an early answer all the same (cargo-client-behaviour §1.4).
        if (refused.Reject!.Status == StatusCodes.Status413PayloadTooLarge) context.Response.Headers.Connection = "close";
        await ApiErrors.WriteAsync(context, refused.Reject).ConfigureAwait(false);
    }

    /// <summary>Rows 1 to 9: the JSON, name, version, deleted name, and who publishes.</summary>
    private async Task<(Upload? Upload, Reject? Reject)> ReadUploadAsync(HttpContext context, PublishBody body, HeldMetadata held, long started)
    {
        var aborted = context.RequestAborted;
        var (metadata, reject) = await ReadMetadataAsync(body, held, aborted).ConfigureAwait(false);
        if (metadata is null) return (null, reject);
        if (!CrateName.TryParse(metadata.Name, out var name, out reject)) return (null, reject);
        if (!CrateVersion.TryParsePublished(metadata.Vers, out var version, out reject)) return (null, reject);
        var authentication = await authenticator.AuthenticateAsync(context.Request.Headers.Authorization, context.Request.Headers.Origin, aborted).ConfigureAwait(false);
        if (authentication.Caller is not { } caller)
            return (null, await database.ReadAsync(sql => PublishAdmission.DeletedNameAsync(sql, name), aborted).ConfigureAwait(false) ?? authentication.Reject!);

        var allowMissing = context.Request.Headers[AllowMissingHeader] == "true";
        var claims = new StoredClaims(metadata.Dependencies, metadata.Readme, metadata.ReadmeFile, allowMissing, registry.PublicUrl);
        var attempt = new Attempt(name, caller, allowMissing, await readOnly.CheckAsync(aborted).ConfigureAwait(false));
        return (new Upload(attempt, version, claims, started), null);
    }

    private static async Task<(PublishMetadata? Metadata, Reject? Reject)> ReadMetadataAsync(PublishBody body, HeldMetadata held, CancellationToken aborted)
    {
        if (await body.ReadLengthAsync(aborted).ConfigureAwait(false) is not { } length) return (null, Invalid("invalid metadata length"));
        if (length > MaxJsonBytes) return (null, new Reject(RejectCodes.LimitExceeded, 413, "JSON metadata blob too large"));
        if (await body.ReadAsync((int)length, held, aborted).ConfigureAwait(false) is not { } json)
            return (null, Invalid($"invalid metadata length for remaining payload: {length}"));
        return PublishMetadata.TryParse(json, out var metadata, out var error) ? (metadata, null) : (null, Invalid($"invalid upload request: {error:whole}"));
    }

    /// <summary>
    /// Rows 7 to 16. A small tarball is read first, so that one transaction asks the rules and parks it; a large one is admitted before it is read.
    /// Both count for the staging from the moment they begin.
    /// </summary>
    private async Task<(ParkedPublish? Parked, Admission Refused)> ParkAsync(HttpContext context, PublishBody body, HeldMetadata held, Upload upload)
    {
        var aborted = context.RequestAborted;
        var length = await body.ReadLengthAsync(aborted).ConfigureAwait(false);
        using var begun = length <= intake.MostInDatabase ? unfinished.Begin(length.Value) : null;
        var small = begun is null ? null : await body.ReadAsync((int)length!.Value, held, aborted).ConfigureAwait(false);
        if (small is not null && await staging.HasRoomAsync(aborted).ConfigureAwait(false))
        {
            await reach.AskAsync(aborted).ConfigureAwait(false);
            var (kept, admitted) = await intake.ParkAsync(upload, small, VerdictAnswer.PrefersAsync(context.Request)).ConfigureAwait(false);
            if (kept is not null) staging.Parked(small.Length);
            return (kept, admitted);
        }

        var asked = await database.WriteAsync(sql => admission.AskAsync(sql, upload.Attempt), aborted).ConfigureAwait(false);
        if (asked.Reject is not null) return (null, asked);
        if (length is not { } size) return (null, new Admission(Invalid("invalid tarball length")));
        if (size > asked.MaxUpload) return (null, new Admission(TooLarge(asked.MaxUpload)));
        if (size <= intake.MostInDatabase && small is null) return (null, new Admission(CutOff(size)));
        using var large = begun is null ? unfinished.Begin(size) : null;
        if (!await staging.HasRoomAsync(aborted).ConfigureAwait(false)) return (null, Later("the registry has too many publishes waiting; try again later"));

        try
        {
            using var tarball = small is null ? body.Rest() : new HashingStream(new MemoryStream(small, writable: false));
            var parked = await intake.ParkAsync(upload, tarball, size, aborted).ConfigureAwait(false);
            if (parked.Reject is { } ended) return (null, new Admission(ended));
            staging.Parked(size);
            return (parked, default);
        }
        catch (EndOfStreamException)
        {
            return (null, new Admission(CutOff(size)));
        }
    }

    private static Admission Later(string text) => new(new Reject(RejectCodes.LimitExceeded, StatusCodes.Status503ServiceUnavailable, text), "30");

    private static Reject CutOff(uint length) => Invalid($"invalid tarball length for remaining payload: {length}");

    private static Reject Invalid(Sentence text) => new(RejectCodes.InvalidMetadata, StatusCodes.Status400BadRequest, text);
}
