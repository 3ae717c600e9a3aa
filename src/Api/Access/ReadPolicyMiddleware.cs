using System.Buffers.Text;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Pipeline.Api.Http;
using Pipeline.Registry.Identity;
using Pipeline.Registry.Options;

namespace Pipeline.Api.Access;

/// <summary>
/// The one point that decides who may read (design §3 "Read access"): in front of index, files, git, search and the rest of the API.
/// With <c>Registry:AuthRequired</c> everything needs a token but the few open paths; it is not in the pipeline otherwise.
/// Cargo asks for <c>config.json</c> without a token first and must be told 401, not 403 (cargo-client-behaviour §3.7). Git asks for a
/// name and a password: the token is the password, any name will do.
/// </summary>
public sealed class ReadPolicyMiddleware(RequestDelegate next, Authenticator authenticator, RegistryOptions options)
{
    private const string GitPrefix = "/git/";
    private const string Basic = "Basic ";
    private const int MaxBasic = 512;

    private static readonly string[] Open = ["/healthz", "/readyz", "/metrics", "/", "/favicon.ico"];

    private readonly string _challenge = $"Cargo login_url=\"{options.PublicUrl}/me\"";

    /// <summary>Lets a request with a token pass.</summary>
    public async Task InvokeAsync(HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var path = context.Request.Path.Value ?? "";
        // The console's own page and files hold nothing of the registry; what they then ask for needs a token.
        if (Array.IndexOf(Open, path) >= 0 || path.StartsWith("/console/", StringComparison.Ordinal))
        {
            await next(context).ConfigureAwait(false);
            return;
        }

        if (!await AllowsAsync(context, path).ConfigureAwait(false)) return;
        context.Features.Set<IReadPolicy>(new Policy(this, context, path));
        await next(context).ConfigureAwait(false);
    }

    /// <summary>Whether the request may pass; otherwise it was refused.</summary>
    private async Task<bool> AllowsAsync(HttpContext context, string path)
    {
        var isGit = path.StartsWith(GitPrefix, StringComparison.Ordinal);
        var identity = isGit && Password(context.Request.Headers.Authorization) is { } password
            ? await authenticator.AuthenticateTokenAsync(password, context.RequestAborted).ConfigureAwait(false)
            : await context.AuthenticateAsync().ConfigureAwait(false);
        if (!identity.Succeeded) await RefuseAsync(context, identity.Reject, isGit).ConfigureAwait(false);
        return identity.Succeeded;
    }

    private Task RefuseAsync(HttpContext context, Contracts.Reject reject, bool isGit)
    {
        context.Response.Headers.CacheControl = "no-store";
        if (reject == IdentityTexts.ForeignOrigin) return ApiErrors.WriteAsync(context, reject);
        context.Response.Headers.WWWAuthenticate = isGit ? "Basic realm=\"registry\", charset=\"UTF-8\"" : _challenge;
        return ApiErrors.WriteAsync(context, StatusCodes.Status401Unauthorized, reject.Text);
    }

    /// <summary>The password of a Basic header; null: there is none such.</summary>
    private static string? Password(StringValues authorization)
    {
        var header = authorization.Count == 0 ? null : authorization[0];
        if (header is null || header.Length > MaxBasic || !header.StartsWith(Basic, StringComparison.OrdinalIgnoreCase)) return null;
        var encoded = Encoding.Latin1.GetBytes(header[Basic.Length..].Trim());
        Span<byte> decoded = stackalloc byte[MaxBasic];
        if (Base64.DecodeFromUtf8(encoded, decoded, out _, out var length) != System.Buffers.OperationStatus.Done) return null;
        var text = Encoding.Latin1.GetString(decoded[..length]);
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        return colon < 0 ? null : text[(colon + 1)..];
    }

    private sealed class Policy(ReadPolicyMiddleware policy, HttpContext context, string path) : IReadPolicy
    {
        public Task<bool> StillAllowsAsync() => policy.AllowsAsync(context, path);
    }
}
