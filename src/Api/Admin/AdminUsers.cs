using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Pipeline.Api.Admin.Shapes;
using Pipeline.Contracts;
using Pipeline.Registry.Identity;

namespace Pipeline.Api.Admin;

/// <summary>Accounts.</summary>
internal static class AdminUsers
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        AdminCall.Map(routes, HttpMethods.Get, "users", "Accounts, by id", ListAsync);
        AdminCall.Map(routes, HttpMethods.Post, "users", "Makes an account", AddAsync);
        AdminCall.Map(routes, HttpMethods.Put, "users/{login}/email", "Sets an account's verified e-mail address", SetEmailAsync);
        AdminCall.Map(routes, HttpMethods.Put, "users/{login}/lock", "Locks an account", LockAsync);
        AdminCall.Map(routes, HttpMethods.Delete, "users/{login}/lock", "Unlocks an account", UnlockAsync);
    }

    private static async ValueTask<IResult> ListAsync(AdminCall call)
    {
        var (limit, after) = (call.Limit(), call.Number("cursor"));
        var users = await call.Database.ReadAsync(
            sql => sql.QueryAsync(
                "SELECT id, login, name, email, is_admin, lock_reason, locked_until, created_at FROM users WHERE id > $1 ORDER BY id LIMIT $2",
                static row => new UserShape(
                    row.Long(0), row.Text(1), row.TextOrNull(2), row.TextOrNull(3), row.Bool(4), row.TextOrNull(5), Cells.Time(row.LongOrNull(6)), Cells.Time(row.Long(7))),
                after ?? 0, (long)limit),
            call.Aborted).ConfigureAwait(false);
        return AdminCall.Answer(new UsersAnswer(users, Cells.Cursor(users, limit, user => user.Id)), AdminJson.Default.UsersAnswer);
    }

    private static async ValueTask<IResult> AddAsync(AdminCall call)
    {
        var (body, reject) = await call.BodyAsync(AdminJson.Default.UserRequest, "a `login` and, optional, `name`, `email` and `is_admin`").ConfigureAwait(false);
        if (body is null) return AdminCall.Refuse(reject!);
        var wanted = new NewUser(body.Login ?? "", NullIfEmpty(body.Name), NullIfEmpty(body.Email), body.IsAdmin);
        var (user, refused) = await call.Service<UserStore>().AddAsync(wanted, call.Actor, call.Aborted).ConfigureAwait(false);
        return user is null ? AdminCall.Refuse(refused!) : AdminCall.Answer(new UserAnswer(Shape(user)), AdminJson.Default.UserAnswer, StatusCodes.Status201Created);
    }

    private static async ValueTask<IResult> SetEmailAsync(AdminCall call)
    {
        var (body, reject) = await call.BodyAsync(AdminJson.Default.EmailRequest, "an `email`").ConfigureAwait(false);
        if (body is null) return AdminCall.Refuse(reject!);
        return await ShowAsync(call, await call.Service<UserStore>().SetEmailAsync(call.Route("login"), body.Email ?? "", call.Actor, call.Aborted).ConfigureAwait(false)).ConfigureAwait(false);
    }

    private static async ValueTask<IResult> LockAsync(AdminCall call)
    {
        var (body, reject) = await call.BodyAsync(AdminJson.Default.LockRequest, "a `reason` and, optional, `until`").ConfigureAwait(false);
        if (body is null) return AdminCall.Refuse(reject!);
        var until = body.Until is { } time ? new DateTimeOffset(time.ToUniversalTime()) : (DateTimeOffset?)null;
        var refused = await call.Service<UserStore>().LockAsync(call.Route("login"), body.Reason ?? "", until, call.Actor, call.Aborted).ConfigureAwait(false);
        return await ShowAsync(call, refused).ConfigureAwait(false);
    }

    private static async ValueTask<IResult> UnlockAsync(AdminCall call) =>
        await ShowAsync(call, await call.Service<UserStore>().UnlockAsync(call.Route("login"), call.Actor, call.Aborted).ConfigureAwait(false)).ConfigureAwait(false);

    private static async ValueTask<IResult> ShowAsync(AdminCall call, Reject? reject)
    {
        if (reject is not null) return AdminCall.Refuse(reject);
        var user = await call.Service<UserStore>().FindAsync(call.Route("login"), call.Aborted).ConfigureAwait(false);
        return AdminCall.Answer(new UserAnswer(Shape(user!)), AdminJson.Default.UserAnswer);
    }

    private static UserShape Shape(User user) => new(
        user.Id, user.Login, user.Name, user.Email, user.IsAdmin, user.LockReason, user.LockedUntil?.UtcDateTime, user.CreatedAt.UtcDateTime);

    private static string? NullIfEmpty(string? text) => string.IsNullOrEmpty(text) ? null : text;
}
