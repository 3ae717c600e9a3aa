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
    IDatabase database, Authenticator authenticator, RateLimiter rateLimiter, ReadOnlyGate readOnly, StagingLevel staging, Intake intake, VerdictAnswer answer, PublishOptions options, RegistryOptions registry)
{
    private const uint MaxJsonBytes = 1024 * 1024;

    /// <summary>The header by which an administrator's import says that dependencies may follow later.</summary>
    private const string AllowMissingHeader = "Pipeline-Allow-Missing-Dependencies";

    /// <summary>Maps the endpoint.</summary>
    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapPut("/api/v1/crates/new", static (HttpContext context, PublishEndpoint endpoint) => endpoint.HandleAsync(context));

    private async Task HandleAsync(HttpContext context)
    {
        var started = Stopwatch.GetTimestamp();
        // The body is bounded part by part; the server's own limit would answer in the wrong words.
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit) limit.MaxRequestBodySize = null;
        var body = new PublishBody(context.Request.BodyReader);
        var aborted = context.RequestAborted;

        var (metadata, reject) = await ReadMetadataAsync(body, aborted).ConfigureAwait(false);
        if (reject is null && await CheckAsync(context, metadata!, aborted).ConfigureAwait(false) is var (upload, maxUpload, refused))
        {
            reject = refused.Reject;
            if (reject is null)
            {
                (var length, reject) = await ReadTarballLengthAsync(body, maxUpload, aborted).ConfigureAwait(false);
                if (reject is null)
                {
                    await ParkAsync(context, body, upload!, length, started).ConfigureAwait(false);
                    return;
                }
            }
            else if (refused.RetryAfter is { } retryAfter)
            {
                context.Response.Headers.RetryAfter = retryAfter;
            }
        }

        await RefuseAsync(context, reject!).ConfigureAwait(false);
    }

    private static async Task RefuseAsync(HttpContext context, Reject reject)
    {
        // What is left of the body is not read: cargo shows an early answer all the same (cargo-client-behaviour §1.4).
        if (reject.Status == StatusCodes.Status413PayloadTooLarge) context.Response.Headers.Connection = "close";
        await ApiErrors.WriteAsync(context, reject).ConfigureAwait(false);
    }

    private static async Task<(PublishMetadata? Metadata, Reject? Reject)> ReadMetadataAsync(PublishBody body, CancellationToken aborted)
    {
        if (await body.ReadLengthAsync(aborted).ConfigureAwait(false) is not { } length) return (null, Invalid("invalid metadata length"));
        if (length > MaxJsonBytes) return (null, new Reject(RejectCodes.LimitExceeded, 413, "JSON metadata blob too large"));
        if (await body.ReadAsync((int)length, aborted).ConfigureAwait(false) is not { } json)
            return (null, Invalid($"invalid metadata length for remaining payload: {length}"));
        return PublishMetadata.TryParse(json, out var metadata, out var error) ? (metadata, null) : (null, Invalid($"invalid upload request: {error}"));
    }

    private static async Task<(uint Length, Reject? Reject)> ReadTarballLengthAsync(PublishBody body, long maxUpload, CancellationToken aborted)
    {
        if (await body.ReadLengthAsync(aborted).ConfigureAwait(false) is not { } length) return (0, Invalid("invalid tarball length"));
        return length > maxUpload ? (0, new Reject(RejectCodes.LimitExceeded, 413, $"max upload size is: {maxUpload}")) : (length, null);
    }

    /// <summary>Rows 5 to 13: name, version, deleted name, who publishes and whether they may.</summary>
    private async Task<(Upload? Upload, long MaxUpload, Refusal Refused)> CheckAsync(HttpContext context, PublishMetadata metadata, CancellationToken aborted)
    {
        if (!CrateName.TryParse(metadata.Name, out var name, out var reject)) return (null, 0, reject);
        if (!CrateVersion.TryParsePublished(metadata.Vers, out var version, out reject)) return (null, 0, reject);

        var crate = await database.ReadAsync(sql => FindAsync(sql, name.Canonical), aborted).ConfigureAwait(false);
        if (crate is { BlockedUntil: { } until })
            return (null, 0, new Reject(RejectCodes.NameNotAvailable, 400, $"A crate with the name `{crate.Name}` was recently deleted. Reuse of this name will be available after {Microseconds.Time(until):yyyy-MM-ddTHH:mm:ssZ}."));

        var authentication = await authenticator.AuthenticateAsync(context.Request.Headers.Authorization, context.Request.Headers.Origin, aborted).ConfigureAwait(false);
        if (authentication.Caller is not { } caller) return (null, 0, authentication.Reject!);
        var scope = crate is { Exists: true } ? EndpointScope.PublishUpdate : EndpointScope.PublishNew;
        if (caller.Allows(scope, name.Text) is { } forbidden) return (null, 0, forbidden);
        if (await readOnly.CheckAsync(aborted).ConfigureAwait(false) is { } closed) return (null, 0, closed);
        if (options.RequireEmail && caller.Email is null)
            return (null, 0, Invalid("A verified email address is required to publish crates to this registry. Ask its operator to set yours."));
        // An administrator's import would meet the limits that keep publishers in bounds after five crates.
        var isAdmin = caller.AllowsAdmin() is null;
        if (!isAdmin && await rateLimiter.TakeAsync(caller.UserId, crate is { Exists: true } ? LimitedAction.PublishUpdate : LimitedAction.PublishNew, aborted).ConfigureAwait(false) is { } limited)
            return (null, 0, new Refusal(limited.Reject, limited.RetryAfter));

        var allowMissing = context.Request.Headers[AllowMissingHeader] == "true";
        if (allowMissing && !isAdmin) return (null, 0, caller.AllowsAdmin()!);
        var claims = new StoredClaims(metadata.Dependencies, metadata.Readme, metadata.ReadmeFile, allowMissing, registry.PublicUrl);
        return (new Upload(name, version, caller, claims), crate?.MaxUpload ?? options.MaxUploadBytes, default);
    }

    private async Task ParkAsync(HttpContext context, PublishBody body, Upload upload, uint length, long started)
    {
        if (!await staging.HasRoomAsync(length, context.RequestAborted).ConfigureAwait(false))
        {
            context.Response.Headers.RetryAfter = "30";
            await ApiErrors.WriteAsync(context, StatusCodes.Status503ServiceUnavailable, "the registry has too many publishes waiting; try again later").ConfigureAwait(false);
            return;
        }

        ParkedPublish parked;
        try
        {
            parked = await intake.ParkAsync(upload, body.Rest(), length, started, context.RequestAborted).ConfigureAwait(false);
        }
        catch (EndOfStreamException)
        {
            await ApiErrors.WriteAsync(context, Invalid($"invalid tarball length for remaining payload: {length}")).ConfigureAwait(false);
            return;
        }

        staging.Parked(length);
        await answer.WriteAsync(context, parked.Id, () => intake.RingAsync(parked)).ConfigureAwait(false);
    }

    private static ValueTask<NamedCrate?> FindAsync(Statements sql, CanonicalName canonical) => sql.FirstAsync(
        """
        SELECT name, state = 'active', CASE WHEN state = 'deleted' AND available_at > now_us() THEN available_at END, max_upload_size
        FROM crates WHERE namespace = '' AND source = 'local' AND canonical = $1
        """,
        static row => new NamedCrate(row.Text(0), row.Bool(1), row.LongOrNull(2), row.LongOrNull(3)),
        canonical.Text);

    private static Reject Invalid(string text) => new(RejectCodes.InvalidMetadata, 400, text);

    private sealed record NamedCrate(string Name, bool Exists, long? BlockedUntil, long? MaxUpload);

    /// <summary>A refusal, and when to come back if that helps.</summary>
    private readonly record struct Refusal(Reject? Reject, string? RetryAfter)
    {
        public static implicit operator Refusal(Reject reject) => new(reject, null);
    }
}
