using System.Diagnostics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Pipeline.Registry.Telemetry;

/// <summary>Names the server's span after its route and gives it the answer's status, which the framework leaves to packages.</summary>
internal sealed class ServerSpans : IStartupFilter
{
    /// <inheritdoc/>
    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        app.Use(TagAsync);
        next(app);
    };

    private static async Task TagAsync(HttpContext context, RequestDelegate next)
    {
        var activity = Activity.Current;
        try
        {
            await next(context).ConfigureAwait(false);
        }
        finally
        {
            if (activity is { IsAllDataRequested: true }) Tag(activity, context);
        }
    }

    private static void Tag(Activity activity, HttpContext context)
    {
        if (context.GetEndpoint() is RouteEndpoint { RoutePattern.RawText: { } route })
        {
            activity.DisplayName = $"{context.Request.Method} {route}";
            activity.SetTag("http.route", route);
        }

        activity.SetTag("http.response.status_code", context.Response.StatusCode);
        if (context.Response.StatusCode >= StatusCodes.Status500InternalServerError) activity.SetStatus(ActivityStatusCode.Error);
    }
}
