using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Pipeline.Api.Http;
using Pipeline.Contracts;
using Pipeline.Registry.Database;
using Pipeline.Registry.Identity;

namespace Pipeline.Api.Admin;

/// <summary>One call of the admin API by somebody who may make it.</summary>
/// <param name="context">The request.</param>
/// <param name="caller">Who calls.</param>
internal sealed class AdminCall(HttpContext context, Caller caller)
{
    private const int DefaultLimit = 50;
    private const int MaxLimit = 1000;

    /// <summary>Who calls, for audit rows.</summary>
    public Actor Actor => caller.Actor;

    /// <summary>Ends the work when the caller goes away.</summary>
    public CancellationToken Aborted => context.RequestAborted;

    /// <summary>The database.</summary>
    public IDatabase Database => Service<IDatabase>();

    /// <summary>Maps an endpoint below <c>/api/v1/admin/</c>; nobody but administrators gets to it.</summary>
    public static void Map(IEndpointRouteBuilder routes, string method, string path, string summary, Func<AdminCall, ValueTask<IResult>> handle) =>
        routes.MapMethods($"/api/v1/admin/{path}", [method], async context =>
        {
            context.Response.Headers.CacheControl = "no-store";
            var (caller, reject) = await RefusalAsync(context).ConfigureAwait(false);
            var result = reject is null ? await handle(new AdminCall(context, caller!)).ConfigureAwait(false) : new Refusal(reject);
            await result.ExecuteAsync(context).ConfigureAwait(false);
        }).WithSummary(summary);

    private static async ValueTask<(Caller? Caller, Reject? Reject)> RefusalAsync(HttpContext context)
    {
        var identity = await context.AuthenticateAsync().ConfigureAwait(false);
        return identity.Succeeded ? (identity.Caller, identity.Caller.AllowsAdmin()) : (null, identity.Reject);
    }

    /// <summary>A service of the process.</summary>
    public T Service<T>()
        where T : notnull => context.RequestServices.GetRequiredService<T>();

    /// <summary>A value of the path.</summary>
    public string Route(string name) => (string)context.Request.RouteValues[name]!;

    /// <summary>A parameter of the query; null: not given, or empty.</summary>
    public string? Query(string name) => context.Request.Query[name].ToString() is { Length: > 0 } value ? value : null;

    /// <summary>How many rows are asked for.</summary>
    /// <exception cref="BadHttpRequestException">Too many, or it is no number.</exception>
    public int Limit() => Number("limit") is not { } limit ? DefaultLimit
        : limit is >= 1 and <= MaxLimit ? (int)limit
        : throw new BadHttpRequestException($"`limit` is a number from 1 to {MaxLimit}");

    /// <summary>A whole number of the query; null: not given.</summary>
    /// <exception cref="BadHttpRequestException">It is none.</exception>
    public long? Number(string name)
    {
        if (Query(name) is not { } text) return null;
        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : throw new BadHttpRequestException($"`{name}` is not a number");
    }

    /// <summary>A time of the query, in microseconds; null: not given.</summary>
    /// <exception cref="BadHttpRequestException">It is none.</exception>
    public long? Time(string name)
    {
        if (Query(name) is not { } text) return null;
        const DateTimeStyles utc = DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal;
        return DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, utc, out var time) ? Microseconds.Of(time) : throw new BadHttpRequestException($"`{name}` is not a time");
    }

    /// <summary>Reads the body, or says what is wrong with it.</summary>
    /// <param name="shape">Its shape.</param>
    /// <param name="what">The same in words, for the refusal.</param>
    public async ValueTask<(T? Body, Reject? Reject)> BodyAsync<T>(JsonTypeInfo<T> shape, string what)
        where T : class
    {
        using var body = await RequestJson.ReadAsync(context).ConfigureAwait(false);
        if (!body.IsJson) return (null, body.Reject);
        // The body may have taken long: who sends it is judged as they stand now.
        if ((await RefusalAsync(context).ConfigureAwait(false)).Reject is { } ended) return (null, ended);
        try
        {
            return body.Document.Deserialize(shape) is { } value ? (value, null) : (null, RequestJson.Shape(what));
        }
        catch (JsonException)
        {
            return (null, RequestJson.Shape(what));
        }
    }

    /// <summary>An answer of a shape.</summary>
    public static IResult Answer<T>(T value, JsonTypeInfo<T> shape, int status = StatusCodes.Status200OK) =>
        new JsonAnswer(json => JsonSerializer.Serialize(json, value, shape), status);

    /// <summary>A refusal.</summary>
    public static IResult Refuse(Reject reject) => new Refusal(reject);
}
