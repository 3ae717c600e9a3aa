using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Pipeline.Registry.Identity;

namespace Pipeline.Api.Http;

/// <summary>Who sent a request.</summary>
public static class RequestIdentity
{
    /// <summary>Authenticates by the request's headers (crates-io-behaviour §6.1).</summary>
    /// <exception cref="Registry.Failures.TransientException">The database is away.</exception>
    public static ValueTask<Authentication> AuthenticateAsync(this HttpContext context)
    {
        var headers = context.Request.Headers;
        var authorization = headers.Authorization;
        var origin = headers.Origin;
        // Of several authorizations the first counts, as on crates.io; several origins are none that is known.
        return context.RequestServices.GetRequiredService<Authenticator>().AuthenticateAsync(
            authorization.Count == 0 ? null : authorization[0], origin.Count == 0 ? null : origin.ToString(), context.RequestAborted);
    }
}
