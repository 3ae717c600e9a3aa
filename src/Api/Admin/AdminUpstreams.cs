using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Pipeline.Api.Admin.Shapes;
using Pipeline.Contracts;
using Pipeline.Contracts.Upstream;
using Pipeline.Registry.Bus;
using Pipeline.Registry.Database;
using Pipeline.Registry.Failures;
using Pipeline.Registry.Truth;
using Pipeline.Registry.Upstreams;

namespace Pipeline.Api.Admin;

/// <summary>The upstreams that are followed, and the names that are local whatever they have.</summary>
internal static class AdminUpstreams
{
    private const int MostRows = 100;
    private const double DefaultEvery = 600;

    public static void Map(IEndpointRouteBuilder routes)
    {
        AdminCall.Map(routes, HttpMethods.Get, "upstreams", "The upstreams and how they stand", ListAsync);
        AdminCall.Map(routes, HttpMethods.Post, "upstreams", "Follows an upstream", AddAsync);
        AdminCall.Map(routes, HttpMethods.Get, "upstreams/{name}", "An upstream, what could not be taken, contested names", ShowAsync);
        AdminCall.Map(routes, HttpMethods.Patch, "upstreams/{name}", "Changes how an upstream is followed", ChangeAsync);
        AdminCall.Map(routes, HttpMethods.Delete, "upstreams/{name}", "Follows an upstream no longer", RemoveAsync);
        AdminCall.Map(routes, HttpMethods.Post, "upstreams/{name}/sync", "Looks at an upstream at once", SyncAsync);
        AdminCall.Map(routes, HttpMethods.Put, "local-names/{name}", "Reserves a name for local crates", ReserveAsync);
        AdminCall.Map(routes, HttpMethods.Delete, "local-names/{name}", "Gives a name back", ReleaseAsync);
    }

    private static async ValueTask<IResult> ListAsync(AdminCall call)
    {
        var shown = await call.Database.ReadAsync(
            async sql =>
            {
                var shapes = new List<UpstreamShape>();
                foreach (var one in await UpstreamViews.StandingAsync(sql).ConfigureAwait(false)) shapes.Add(await WithFilesAsync(sql, call.Service<RareCounts>(), Shape(one)).ConfigureAwait(false));
                return shapes;
            },
            call.Aborted).ConfigureAwait(false);
        return AdminCall.Answer(new UpstreamsAnswer(shown), AdminJson.Default.UpstreamsAnswer);
    }

    private static async ValueTask<IResult> ShowAsync(AdminCall call)
    {
        var shown = await call.Database.ReadAsync(sql => ReadAsync(sql, call.Service<RareCounts>(), call.Route("name")), call.Aborted).ConfigureAwait(false);
        return shown is null ? AdminCall.Refuse(Missing(call.Route("name"))) : AdminCall.Answer(shown, AdminJson.Default.UpstreamAnswer);
    }

    private static async ValueTask<IResult> AddAsync(AdminCall call)
    {
        var (body, reject) = await call.BodyAsync(AdminJson.Default.UpstreamRequest, "a `name`, an `index`, and how to follow it").ConfigureAwait(false);
        if (body is null) return AdminCall.Refuse(reject!);
        var fresh = new Upstream
        {
            Name = body.Name ?? "",
            IndexUrl = "",
            Mode = UpstreamModes.Metadata,
            EveryMicroseconds = Microseconds.Of(TimeSpan.FromSeconds(DefaultEvery)),
            Collisions = CollisionPolicies.LocalWins,
            Removals = RemovalPolicies.Remove,
        };
        var upstream = Changed(fresh, body);
        if (Check(upstream, body) is { } refused) return AdminCall.Refuse(refused);
        var added = await call.Database.WriteAsync(
            async sql =>
            {
                if (!await UpstreamStore.AddAsync(sql, upstream).ConfigureAwait(false)) return false;
                if (body.Allow is not null) await UpstreamStore.AllowAsync(sql, upstream.Name, body.Allow).ConfigureAwait(false);
                await Audit.WriteAsync(sql, "add-upstream", call.Actor, detail: $"{upstream.Name} {upstream.IndexUrl}").ConfigureAwait(false);
                return true;
            },
            call.Aborted).ConfigureAwait(false);
        if (!added) return AdminCall.Refuse(new Reject(RejectCodes.Conflict, 409, $"there is an upstream `{upstream.Name}` already"));
        return await RungAsync(call, upstream.Name, StatusCodes.Status201Created).ConfigureAwait(false);
    }

    private static async ValueTask<IResult> ChangeAsync(AdminCall call)
    {
        var (body, reject) = await call.BodyAsync(AdminJson.Default.UpstreamRequest, "what is to change").ConfigureAwait(false);
        if (body is null) return AdminCall.Refuse(reject!);
        var name = call.Route("name");
        var (refused, settled) = await call.Database.WriteAsync(
            async sql =>
            {
                if (await UpstreamStore.FindAsync(sql, name).ConfigureAwait(false) is not { IsRemoved: false } upstream) return (Missing(name), []);
                var changed = Changed(upstream, body);
                if (Check(changed, body) is { } wrong) return (wrong, []);
                await UpstreamStore.ChangeAsync(sql, changed).ConfigureAwait(false);
                if (body.Allow is not null || body.AllowAll) await UpstreamStore.AllowAsync(sql, name, body.Allow).ConfigureAwait(false);
                await Audit.WriteAsync(sql, "change-upstream", call.Actor, detail: name).ConfigureAwait(false);
                List<Revised> revised = changed.Collisions == upstream.Collisions ? [] : await LocalNames.SettleAllAsync(sql).ConfigureAwait(false);
                return ((Reject?)null, revised);
            },
            call.Aborted).ConfigureAwait(false);
        if (refused is not null) return AdminCall.Refuse(refused);
        foreach (var revised in settled) await call.Service<IDoorbell>().RingChangedAsync(revised).ConfigureAwait(false);
        return await RungAsync(call, name, StatusCodes.Status200OK).ConfigureAwait(false);
    }

    private static async ValueTask<IResult> RemoveAsync(AdminCall call)
    {
        var name = call.Route("name");
        var removed = await call.Database.WriteAsync(
            async sql =>
            {
                if (await UpstreamStore.RemoveAsync(sql, name).ConfigureAwait(false) == 0) return false;
                await Audit.WriteAsync(sql, "remove-upstream", call.Actor, detail: name).ConfigureAwait(false);
                return true;
            },
            call.Aborted).ConfigureAwait(false);
        return removed ? await RungAsync(call, name, StatusCodes.Status200OK).ConfigureAwait(false) : AdminCall.Refuse(Missing(name));
    }

    private static async ValueTask<IResult> SyncAsync(AdminCall call)
    {
        var (body, reject) = await call.BodyAsync(AdminJson.Default.SyncRequest, "`accept_removals`, optional").ConfigureAwait(false);
        if (body is null) return AdminCall.Refuse(reject!);
        var name = call.Route("name");
        var found = await call.Database.WriteAsync(sql => UpstreamStore.HurryAsync(sql, name, body.AcceptRemovals), call.Aborted).ConfigureAwait(false);
        return found ? await RungAsync(call, name, StatusCodes.Status202Accepted).ConfigureAwait(false) : AdminCall.Refuse(Missing(name));
    }

    private static async ValueTask<IResult> ReserveAsync(AdminCall call)
    {
        var (body, reject) = await call.BodyAsync(AdminJson.Default.ReserveRequest, "a `reason`, optional").ConfigureAwait(false);
        if (body is null) return AdminCall.Refuse(reject!);
        var name = call.Route("name");
        if (NameRules.Check(name, NameUse.Crate) is { } wrong) return AdminCall.Refuse(wrong);
        var revised = await call.Database.WriteAsync(sql => LocalNames.ReserveAsync(sql, name, body.Reason, call.Actor), call.Aborted).ConfigureAwait(false);
        return await SettledAsync(call, name, revised).ConfigureAwait(false);
    }

    private static async ValueTask<IResult> ReleaseAsync(AdminCall call)
    {
        var name = call.Route("name");
        var (was, revised) = await call.Database.WriteAsync(sql => LocalNames.ReleaseAsync(sql, name, call.Actor), call.Aborted).ConfigureAwait(false);
        return was ? await SettledAsync(call, name, revised).ConfigureAwait(false) : AdminCall.Refuse(new Reject(RejectCodes.NotFound, 404, $"the name `{name}` is not reserved for local crates"));
    }

    private static async ValueTask<IResult> SettledAsync(AdminCall call, string name, Revised? revised)
    {
        if (revised is not null) await call.Service<IDoorbell>().RingChangedAsync(revised).ConfigureAwait(false);
        return AdminCall.Answer(new LocalNameAnswer(name, revised is not null), AdminJson.Default.LocalNameAnswer);
    }

    private static async ValueTask<IResult> RungAsync(AdminCall call, string name, int status)
    {
        await call.Service<IDoorbell>().RingAsync(new SyncUpstream(name)).ConfigureAwait(false);
        var shown = await call.Database.ReadAsync(sql => ReadAsync(sql, call.Service<RareCounts>(), name), call.Aborted).ConfigureAwait(false);
        return AdminCall.Answer(shown!, AdminJson.Default.UpstreamAnswer, status);
    }

    private static async ValueTask<UpstreamAnswer?> ReadAsync(Statements sql, RareCounts counts, string name)
    {
        if (await UpstreamStore.FindAsync(sql, name).ConfigureAwait(false) is not { } upstream) return null;
        var items = await UpstreamViews.UntakenAsync(sql, name, MostRows).ConfigureAwait(false);
        var contested = await UpstreamViews.CollisionsAsync(sql, name, MostRows).ConfigureAwait(false);
        var local = await LocalNames.AllAsync(sql).ConfigureAwait(false);
        return new UpstreamAnswer(
            await WithFilesAsync(sql, counts, Shape(await UpstreamViews.OneAsync(sql, upstream).ConfigureAwait(false))).ConfigureAwait(false),
            items.ConvertAll(static one => new UpstreamItem(one.Path, one.Code, one.Text, one.Attempts, Cells.Time(one.NextTryAt))),
            contested.ConvertAll(static one => new ContestedName(one.Name, one.Served, one.Others)), local.ConvertAll(static one => one.Name))
        {
            Files = (await UpstreamFiles.TroubledAsync(sql, name, MostRows).ConfigureAwait(false))
                .ConvertAll(static one => new UpstreamFileItem(one.Name, one.Num, one.State, one.Text, one.Attempts, Cells.Time(one.NextTryAt))),
        };
    }

    private static async ValueTask<UpstreamShape> WithFilesAsync(Statements sql, RareCounts counts, UpstreamShape shape)
    {
        var files = await counts.ReadAsync($"files of {shape.Name}", sql, open => UpstreamFiles.CountAsync(open, shape.Name)).ConfigureAwait(false);
        return shape with { Files = new FilesShape(files.Wanted, files.Kept, files.Evicted, files.Refused, files.KeptBytes) };
    }

    private static Upstream Changed(Upstream upstream, UpstreamRequest body) => upstream with
    {
        IndexUrl = body.Index ?? upstream.IndexUrl,
        DlUrl = body.Dl is null ? upstream.DlUrl : body.Dl.Length == 0 ? null : body.Dl,
        Mode = body.Mode ?? upstream.Mode,
        EveryMicroseconds = body.EverySeconds is { } every ? (long)Math.Clamp(every * Microseconds.Second, 0, long.MaxValue / 2) : upstream.EveryMicroseconds,
        Collisions = body.Collisions ?? upstream.Collisions,
        Removals = body.Removals ?? upstream.Removals,
        AllowOnly = body.Allow is not null || (upstream.AllowOnly && !body.AllowAll),
    };

    private static Reject? Check(Upstream upstream, UpstreamRequest body) => UpstreamRules.Check(upstream) ?? (body.Allow is null ? null : UpstreamRules.CheckAllowed(body.Allow));

    private static Reject Missing(string name) => new(RejectCodes.NotFound, 404, $"there is no upstream `{name}`");

    private static UpstreamShape Shape(UpstreamStanding one) => new(
        one.Upstream.Name, one.Upstream.IndexUrl, one.Upstream.DlTemplate, one.Upstream.Mode, one.Upstream.EveryMicroseconds / (double)Microseconds.Second, one.Upstream.Collisions,
        one.Upstream.Removals, one.Upstream.AllowOnly, one.Crates, one.Shadowed, one.Gone, one.Bad, one.Watermark, Cells.Time(one.CheckedAt), one.AgeSeconds,
        one.Running is { } running ? new SyncProgress(running.Done, running.Total) : null, one.Attempts, one.LastError is { } error ? Quoted.Value(error) : null, one.NextTryAt is >= FailureLog.Parked ? null : Cells.Time(one.NextTryAt),
        one.Incident is { } incident ? new IncidentShape(incident.Reason, Cells.Time(incident.Since)) : null);
}
