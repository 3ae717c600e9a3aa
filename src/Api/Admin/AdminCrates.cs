using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Pipeline.Api.Admin.Shapes;
using Pipeline.Registry.Bus;
using Pipeline.Registry.Database;
using Pipeline.Registry.Options;
using Pipeline.Registry.Truth;

namespace Pipeline.Api.Admin;

/// <summary>Crates and versions of any owner: shown whole, deleted and yanked without the rules that bind owners.</summary>
internal static class AdminCrates
{
    private const double MaxDelayHours = 24 * 365 * 100;

    public static void Map(IEndpointRouteBuilder routes)
    {
        AdminCall.Map(routes, HttpMethods.Get, "crates/{name}", "A crate, its versions and projections, deleted or not", ShowAsync);
        AdminCall.Map(routes, HttpMethods.Delete, "crates/{name}", "Deletes a crate; `availability_delay_hours` 0 frees everything of it", DeleteAsync);
        AdminCall.Map(routes, HttpMethods.Delete, "crates/{name}/{version}", "Deletes a version", DeleteVersionAsync);
        AdminCall.Map(routes, HttpMethods.Put, "crates/{name}/{version}/yank", "Yanks a version", call => YankAsync(call, true));
        AdminCall.Map(routes, HttpMethods.Put, "crates/{name}/{version}/unyank", "Takes a yank back", call => YankAsync(call, false));
    }

    private static async ValueTask<IResult> ShowAsync(AdminCall call)
    {
        var crate = await call.Database.ReadAsync(sql => CrateQueries.FindAsync(sql, call.Route("name")), call.Aborted).ConfigureAwait(false);
        return crate is null ? AdminCall.Refuse(CrateLookup.NoCrate(call.Route("name"))) : AdminCall.Answer(new CrateAnswer(crate), AdminJson.Default.CrateAnswer);
    }

    private static async ValueTask<IResult> DeleteAsync(AdminCall call)
    {
        var (name, delay) = (call.Route("name"), DelayOf(call));
        var deleted = await call.Database.WriteAsync(sql => DeleteAsync(sql, call, name, delay), call.Aborted).ConfigureAwait(false);
        if (deleted is null) return AdminCall.Refuse(CrateLookup.NoCrate(name));
        if (deleted.Revised is { } revised) await call.Service<IDoorbell>().RingDeletedAsync(revised).ConfigureAwait(false);
        return AdminCall.Answer(deleted.Answer, AdminJson.Default.DeletionAnswer);
    }

    private static async ValueTask<Deleted?> DeleteAsync(Statements sql, AdminCall call, string name, TimeSpan delay)
    {
        var crate = await CrateLookup.LockCrateAsync(sql, name).ConfigureAwait(false);
        if (crate is null) return delay <= TimeSpan.Zero ? await FreeAsync(sql, call, name).ConfigureAwait(false) : null;
        var versions = await sql.QueryAsync(
            "SELECT num FROM versions WHERE crate_id = $1 AND state = 'active' ORDER BY published_at", static row => row.Text(0), crate.Id).ConfigureAwait(false);
        var revised = await CrateDeletion.DeleteAsync(sql, crate, delay, call.Actor, call.Query("message")).ConfigureAwait(false);
        var available = await sql.LongAsync("SELECT available_at FROM crates WHERE id = $1", crate.Id).ConfigureAwait(false);
        return new Deleted(revised, new DeletionAnswer(crate.Name, versions, Cells.Time(available)));
    }

    /// <summary>A crate that is deleted already, but still blocks its name: that is what zero hours undo.</summary>
    private static async ValueTask<Deleted?> FreeAsync(Statements sql, AdminCall call, string name) =>
        await CrateDeletion.FreeAsync(sql, name, call.Actor).ConfigureAwait(false)
            ? new Deleted(null, new DeletionAnswer(name, [], Cells.Time(await sql.NowAsync().ConfigureAwait(false))))
            : null;

    private static async ValueTask<IResult> DeleteVersionAsync(AdminCall call)
    {
        var (name, num) = (call.Route("name"), call.Route("version"));
        var deleted = await call.Database.WriteAsync(
            async sql => await FindAsync(sql, name, num).ConfigureAwait(false) is not { } version
                ? null
                : new Deleted(
                    await CrateDeletion.DeleteVersionAsync(sql, version, free: false, call.Actor, call.Query("message")).ConfigureAwait(false),
                    new DeletionAnswer(version.Crate.Name, [version.Num], null)),
            call.Aborted).ConfigureAwait(false);
        if (deleted is null) return AdminCall.Refuse(CrateLookup.NoVersion(name, num));
        await call.Service<IDoorbell>().RingDeletedAsync(deleted.Revised!).ConfigureAwait(false);
        return AdminCall.Answer(deleted.Answer, AdminJson.Default.DeletionAnswer);
    }

    private static async ValueTask<IResult> YankAsync(AdminCall call, bool yanked)
    {
        var (name, num) = (call.Route("name"), call.Route("version"));
        var (version, revised) = await call.Database.WriteAsync(
            async sql => await FindAsync(sql, name, num).ConfigureAwait(false) is { } found
                ? (found, await VersionYank.SetAsync(sql, found, yanked, null, call.Actor).ConfigureAwait(false))
                : (null, null),
            call.Aborted).ConfigureAwait(false);
        if (version is null) return AdminCall.Refuse(CrateLookup.NoVersion(name, num));
        if (revised is not null) await call.Service<IDoorbell>().RingChangedAsync(revised).ConfigureAwait(false);
        return AdminCall.Answer(new YankAnswer(version.Crate.Name, version.Num, yanked, revised is not null), AdminJson.Default.YankAnswer);
    }

    private static async ValueTask<FoundVersion?> FindAsync(Statements sql, string name, string num) =>
        await CrateLookup.LockCrateAsync(sql, name).ConfigureAwait(false) is { } crate ? await CrateLookup.VersionAsync(sql, crate, num).ConfigureAwait(false) : null;

    private static TimeSpan DelayOf(AdminCall call)
    {
        if (call.Query("availability_delay_hours") is not { } hours) return TimeSpan.FromHours(call.Service<PublishOptions>().DeletedNameHours);
        return double.TryParse(hours, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value) && value <= MaxDelayHours
            ? TimeSpan.FromHours(value)
            : throw new BadHttpRequestException("`availability_delay_hours` is not a number of hours");
    }

    private sealed record Deleted(Revised? Revised, DeletionAnswer Answer);
}
