using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Pipeline.Api.Admin.Shapes;
using Pipeline.Contracts;
using Pipeline.Contracts.Notices;
using Pipeline.Registry.Bus;
using Pipeline.Registry.Changes;

namespace Pipeline.Api.Admin;

/// <summary>Webhooks: who is told of changes.</summary>
internal static class AdminWebhooks
{
    private const string FromStart = "start";

    public static void Map(IEndpointRouteBuilder routes)
    {
        AdminCall.Map(routes, HttpMethods.Get, "webhooks", "Webhooks and how far each has been told", ListAsync);
        AdminCall.Map(routes, HttpMethods.Post, "webhooks", "Adds a webhook; its secret is never shown", AddAsync);
        AdminCall.Map(routes, HttpMethods.Get, "webhooks/{id:long}", "One webhook", ShowAsync);
        AdminCall.Map(routes, HttpMethods.Delete, "webhooks/{id:long}", "Removes a webhook and the notices it was not given", RemoveAsync);
    }

    private static async ValueTask<IResult> ListAsync(AdminCall call)
    {
        var (epoch, hooks) = await call.Database.ReadAsync(
            static async sql => (await ChangeFeed.EpochAsync(sql).ConfigureAwait(false), await Webhooks.ListAsync(sql).ConfigureAwait(false)), call.Aborted).ConfigureAwait(false);
        return AdminCall.Answer(new WebhooksAnswer(hooks.ConvertAll(hook => Shape(hook, epoch))), AdminJson.Default.WebhooksAnswer);
    }

    private static ValueTask<IResult> ShowAsync(AdminCall call) => AnswerAsync(call, Id(call), StatusCodes.Status200OK);

    private static async ValueTask<IResult> AddAsync(AdminCall call)
    {
        const string what = "a `url`, a `secret` and, optional, `kinds`, `crates` and `since`";
        var (body, reject) = await call.BodyAsync(AdminJson.Default.WebhookRequest, what).ConfigureAwait(false);
        if (body is null) return AdminCall.Refuse(reject!);
        var (kinds, crates) = (body.Kinds ?? [], body.Crates ?? []);
        if (WebhookRules.Check(body.Url, body.Secret, kinds, crates) is { } refused) return AdminCall.Refuse(refused);
        var (since, wrong) = await SinceAsync(call, body.Since).ConfigureAwait(false);
        if (wrong is not null) return AdminCall.Refuse(wrong);
        var id = await call.Database.WriteAsync(sql => Webhooks.AddAsync(sql, body.Url!, body.Secret!, kinds, crates, since, call.Actor), call.Aborted).ConfigureAwait(false);
        if (id is null) return AdminCall.Refuse(new Reject(RejectCodes.LimitExceeded, StatusCodes.Status422UnprocessableEntity, $"there are {WebhookRules.MostWebhooks} webhooks, as many as there may be"));
        await call.Service<IDoorbell>().RingAsync(new SendNotices()).ConfigureAwait(false);
        return await AnswerAsync(call, id.Value, StatusCodes.Status201Created).ConfigureAwait(false);
    }

    private static async ValueTask<IResult> RemoveAsync(AdminCall call)
    {
        var answer = await AnswerAsync(call, Id(call), StatusCodes.Status200OK).ConfigureAwait(false);
        await call.Database.WriteAsync(sql => Webhooks.RemoveAsync(sql, Id(call), call.Actor), call.Aborted).ConfigureAwait(false);
        return answer;
    }

    private static async ValueTask<IResult> AnswerAsync(AdminCall call, long id, int status)
    {
        var (epoch, hook) = await call.Database.ReadAsync(
            async sql => (await ChangeFeed.EpochAsync(sql).ConfigureAwait(false), await Webhooks.FindAsync(sql, id).ConfigureAwait(false)), call.Aborted).ConfigureAwait(false);
        return hook is null
            ? AdminCall.Refuse(new Reject(RejectCodes.NotFound, StatusCodes.Status404NotFound, $"webhook {id} does not exist"))
            : AdminCall.Answer(new WebhookAnswer(Shape(hook, epoch)), AdminJson.Default.WebhookAnswer, status);
    }

    private static async ValueTask<(long Since, Reject? Reject)> SinceAsync(AdminCall call, string? since)
    {
        if (since is null or Changes.ChangesEndpoint.Now) return (await call.Database.ReadAsync(ChangeFeed.SettledAsync, call.Aborted).ConfigureAwait(false), null);
        if (since == FromStart) return (0, null);
        var epoch = await call.Database.ReadAsync(ChangeFeed.EpochAsync, call.Aborted).ConfigureAwait(false);
        return ChangeCursor.TryParse(since, out var cursor) && cursor.Epoch == epoch
            ? (cursor.Id, null)
            : (0, new Reject(RejectCodes.InvalidRequest, StatusCodes.Status422UnprocessableEntity, "`since` is neither `now`, `start` nor a cursor of this registry's change feed"));
    }

    private static long Id(AdminCall call) => long.Parse(call.Route("id"), CultureInfo.InvariantCulture);

    private static WebhookShape Shape(WebhookState hook, string epoch) => new(
        hook.Id, hook.Url, hook.Kinds, hook.Crates, Cells.Time(hook.CreatedAt), new ChangeCursor(epoch, hook.Watermark).ToText(), hook.Behind, hook.Attempts, hook.Failing, hook.LastError is { } error ? Quoted.Value(error) : null,
        Cells.Time(hook.LastDeliveredAt), Cells.Time(hook.NextTryAt), hook.GivenUp);
}
