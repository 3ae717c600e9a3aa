using System.Diagnostics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Pipeline.Contracts;
using Pipeline.Contracts.Publishing;
using Pipeline.Registry.Database;
using Pipeline.Registry.Identity;
using Pipeline.Registry.Options;

namespace Pipeline.Api.Publishing;

/// <summary>
/// <c>PUT /api/v1/crates/new</c>: the checks that need no archive (crates-io-behaviour §1.4 rows 1 to 16, in that order),
/// then the upload is parked, and the answer is the verdict.
/// </summary>
internal sealed class PublishEndpoint(
    IDatabase database, Authenticator authenticator, PublishAdmission admission, ReadOnlyGate readOnly, StagingLevel staging, Intake intake, VerdictAnswer answer, RegistryOptions registry)
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
        var body = new PublishBody(context.Request.BodyReader);
        var refused = await ReadUploadAsync(context, body, started).ConfigureAwait(false) switch
        {
            (null, { } reject) => new Admission(reject),
            ({ } upload, _) => await ParkAsync(context, body, upload).ConfigureAwait(false),
            _ => throw new InvalidOperationException("an upload that is neither read nor refused"),
        };
        if (refused.Reject is not null) await RefuseAsync(context, refused).ConfigureAwait(false);
    }

    private static async Task RefuseAsync(HttpContext context, Admission refused)
    {
        if (refused.RetryAfter is { } retryAfter) context.Response.Headers.RetryAfter = retryAfter;
        // What is left of the body is not read: cargo shows an early answer all the same (cargo-client-behaviour §1.4).
        if (refused.Reject!.Status == StatusCodes.Status413PayloadTooLarge) context.Response.Headers.Connection = "close";
        await ApiErrors.WriteAsync(context, refused.Reject).ConfigureAwait(false);
    }

    /// <summary>Rows 1 to 9: the JSON, name, version, deleted name, and who publishes.</summary>
    private async Task<(Upload? Upload, Reject? Reject)> ReadUploadAsync(HttpContext context, PublishBody body, long started)
    {
        var aborted = context.RequestAborted;
        var (metadata, reject) = await ReadMetadataAsync(body, aborted).ConfigureAwait(false);
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

    private static async Task<(PublishMetadata? Metadata, Reject? Reject)> ReadMetadataAsync(PublishBody body, CancellationToken aborted)
    {
        if (await body.ReadLengthAsync(aborted).ConfigureAwait(false) is not { } length) return (null, Invalid("invalid metadata length"));
        if (length > MaxJsonBytes) return (null, new Reject(RejectCodes.LimitExceeded, 413, "JSON metadata blob too large"));
        if (await body.ReadAsync((int)length, aborted).ConfigureAwait(false) is not { } json)
            return (null, Invalid($"invalid metadata length for remaining payload: {length}"));
        return PublishMetadata.TryParse(json, out var metadata, out var error) ? (metadata, null) : (null, Invalid($"invalid upload request: {error}"));
    }

    /// <summary>
    /// Rows 7 to 16, and the verdict. A small tarball is read first, so that one transaction asks the rules and parks it; a large one is admitted
    /// before it is read. Returns what refuses the upload, or nothing where the answer is written.
    /// </summary>
    private async Task<Admission> ParkAsync(HttpContext context, PublishBody body, Upload upload)
    {
        var aborted = context.RequestAborted;
        var length = await body.ReadLengthAsync(aborted).ConfigureAwait(false);
        var small = length <= intake.MostInDatabase ? await body.ReadAsync((int)length, aborted).ConfigureAwait(false) : null;
        if (small is not null && await staging.HasRoomAsync(small.Length, aborted).ConfigureAwait(false))
        {
            var (parked, admitted) = await intake.ParkAsync(upload, small).ConfigureAwait(false);
            if (parked is not null) await AnswerAsync(context, parked, small.Length).ConfigureAwait(false);
            return admitted;
        }

        var asked = await database.WriteAsync(sql => admission.AskAsync(sql, upload.Attempt), aborted).ConfigureAwait(false);
        if (asked.Reject is not null) return asked;
        if (length is not { } size) return new Admission(Invalid("invalid tarball length"));
        if (size > asked.MaxUpload) return new Admission(TooLarge(asked.MaxUpload));
        if (size <= intake.MostInDatabase && small is null) return new Admission(CutOff(size));
        if (!await staging.HasRoomAsync(size, aborted).ConfigureAwait(false))
        {
            context.Response.Headers.RetryAfter = "30";
            await ApiErrors.WriteAsync(context, StatusCodes.Status503ServiceUnavailable, "the registry has too many publishes waiting; try again later").ConfigureAwait(false);
            return default;
        }

        try
        {
            using var tarball = small is null ? body.Rest() : new HashingStream(new MemoryStream(small, writable: false));
            await AnswerAsync(context, await intake.ParkAsync(upload, tarball, size, aborted).ConfigureAwait(false), size).ConfigureAwait(false);
            return default;
        }
        catch (EndOfStreamException)
        {
            return new Admission(CutOff(size));
        }
    }

    private async Task AnswerAsync(HttpContext context, ParkedPublish parked, long size)
    {
        staging.Parked(size);
        await answer.WriteAsync(context, parked.Id, () => intake.RingAsync(parked)).ConfigureAwait(false);
    }

    private static Reject CutOff(uint length) => Invalid($"invalid tarball length for remaining payload: {length}");

    private static Reject Invalid(string text) => new(RejectCodes.InvalidMetadata, StatusCodes.Status400BadRequest, text);
}
