using System.Text;
using Microsoft.AspNetCore.Http;

namespace Pipeline.Api.Git;

/// <summary>Refusals for git clients, which show a plain text to their user and nothing else.</summary>
internal static class PlainText
{
    /// <summary>Answers with a status and one sentence.</summary>
    public static async Task WriteAsync(HttpContext context, int status, string text)
    {
        var body = Encoding.UTF8.GetBytes(text + "\n");
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/plain; charset=utf-8";
        context.Response.ContentLength = body.Length;
        await context.Response.Body.WriteAsync(body).ConfigureAwait(false);
    }
}
