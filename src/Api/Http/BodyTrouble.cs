using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;

namespace Pipeline.Api.Http;

/// <summary>What the server throws for the shape of a body without saying that the request is at fault.</summary>
internal static class BodyTrouble
{
    /// <summary>The refusal; null: it is nothing of the kind.</summary>
    public static BadHttpRequestException? Of(Exception exception)
    {
        for (var e = exception; e is not null; e = e.InnerException)
        {
            switch (e)
            {
                case BadHttpRequestException bad:
                    return bad;
                // How the server says that the length of a chunk is beyond all bounds.
                case IOException { InnerException: OverflowException }:
                    return new BadHttpRequestException("the request body has a chunk whose size cannot be read", StatusCodes.Status400BadRequest, exception);
                case ConnectionResetException or ConnectionAbortedException:
                    return new BadHttpRequestException("the connection was closed before the request was complete", StatusCodes.Status400BadRequest, exception);
            }
        }

        return null;
    }
}
