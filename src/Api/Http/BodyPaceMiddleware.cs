using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Pipeline.Api.Http;

/// <summary>Has every request body keep up a least rate, whatever reads it.</summary>
public sealed class BodyPaceMiddleware(RequestDelegate next, TimeProvider clock)
{
    /// <summary>Puts itself between the server and who reads the body.</summary>
    public Task InvokeAsync(HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (context.Features.Get<IHttpRequestBodyDetectionFeature>() is { CanHaveBody: true })
        {
            var reader = new PacedBodyReader(context.Request.BodyReader, clock);
            context.Request.Body = reader.AsStream(leaveOpen: true);
            context.Features.Set<IRequestBodyPipeFeature>(new Paced(reader));
        }

        return next(context);
    }

    private sealed class Paced(PipeReader reader) : IRequestBodyPipeFeature
    {
        public PipeReader Reader => reader;
    }
}
