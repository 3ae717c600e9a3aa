using Microsoft.AspNetCore.Http;
using Pipeline.Contracts;
using Pipeline.Registry.Identity;

namespace Pipeline.Api.Http;

/// <summary>A refusal as the answer of an endpoint.</summary>
internal sealed class Refusal : IResult
{
    private readonly Reject _reject;
    private readonly string? _retryAfter;

    /// <summary>The refusal's status and text.</summary>
    public Refusal(Reject reject) => _reject = reject;

    /// <summary>An attempt that came too soon: 429 and when to come back.</summary>
    public Refusal(RateLimited limited) => (_reject, _retryAfter) = (limited.Reject, limited.RetryAfter);

    /// <summary>The request is not of the form the endpoint takes.</summary>
    public static Refusal BadRequest(Sentence text) => new(new Reject(RejectCodes.InvalidRequest, StatusCodes.Status400BadRequest, text));

    /// <inheritdoc/>
    public Task ExecuteAsync(HttpContext httpContext)
    {
        if (_retryAfter is not null) httpContext.Response.Headers.RetryAfter = _retryAfter;
        return ApiErrors.WriteAsync(httpContext, _reject);
    }
}
