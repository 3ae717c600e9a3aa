using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Pipeline.Contracts.Notices;
using Pipeline.Registry.Bus;
using Pipeline.Registry.Changes;
using Pipeline.Registry.Database;
using Pipeline.Registry.Failures;
using Pipeline.Registry.Options;
using Pipeline.Workers.Mail;

namespace Pipeline.Workers.Upstream;

/// <summary>
/// Tells when an upstream cannot be followed, and when it can be again: in the log, by webhook and by mail. An incident is a row, written in one
/// transaction with the change that webhooks are told of and with the mail, so each is told once, whoever looks and however often.
/// </summary>
public sealed class UpstreamWatch(IDatabase database, IDoorbell doorbell, UpstreamOptions options, MailOptions mail, ILogger<UpstreamWatch> logger)
{
    private const string HealthSql =
        """
        SELECT u.name, now_us() - COALESCE(u.checked_at, u.added_at), u.every_us, u.attempts, COALESCE(u.next_try_at >= $1, FALSE), u.removed_at IS NOT NULL, i.id,
            COALESCE(u.checked_at > i.opened_at, FALSE), u.last_error, u.checked_at
        FROM upstreams u LEFT JOIN upstream_incidents i ON i.upstream = u.name AND i.closed_at IS NULL
        WHERE u.removed_at IS NULL OR i.id IS NOT NULL ORDER BY u.name
        """;

    /// <summary>Looks at every upstream.</summary>
    public async Task LookAsync()
    {
        foreach (var one in await database.ReadAsync(static sql => sql.QueryAsync(HealthSql, Read, FailureLog.Parked)).ConfigureAwait(false))
        {
            var step = IncidentRules.Decide(one.Health, options);
            if (step == IncidentStep.None) continue;
            var (did, id) = await database.WriteAsync(sql => TakeAsync(sql, one, step)).ConfigureAwait(false);
            if (!did) continue;
            if (step is IncidentStep.Failing or IncidentStep.Stale) logger.LogWarning("upstream {upstream.name} cannot be followed: {Reason}", one.Name, Reason(one, step));
            else logger.LogInformation("upstream {upstream.name} is {State}", one.Name, step == IncidentStep.Recovered ? "followed again" : "followed no longer");
            await doorbell.RingAsync(new SendNotices()).ConfigureAwait(false);
            if (id is { } written) await doorbell.RingAsync(new SendMail(written)).ConfigureAwait(false);
        }
    }

    private async ValueTask<(bool Did, long? Mail)> TakeAsync(Statements sql, Watched one, IncidentStep step)
    {
        var opens = step is IncidentStep.Failing or IncidentStep.Stale;
        // Of two that look at once, one writes.
        var incident = opens
            ? await sql.LongAsync(
                """
                INSERT INTO upstream_incidents (upstream, reason, text, opened_at) VALUES ($1, $2, $3, now_us())
                ON CONFLICT (upstream) WHERE closed_at IS NULL DO NOTHING RETURNING id
                """,
                one.Name, Word(step), Reason(one, step)).ConfigureAwait(false)
            : await sql.LongAsync("UPDATE upstream_incidents SET closed_at = now_us() WHERE id = $1 AND closed_at IS NULL RETURNING id", one.Incident).ConfigureAwait(false);
        if (incident is null) return (false, null);
        if (step == IncidentStep.Dropped) return (true, null);
        // The feed is public, so it says that there is trouble, and not what; the mail does.
        var data = new JsonObject { ["upstream"] = one.Name, ["incident"] = incident, ["reason"] = opens ? Word(step) : null };
        await sql.ExecuteAsync(
            "INSERT INTO changes (at, kind, data) VALUES (now_us(), $1, $2)", opens ? ChangeKinds.UpstreamTrouble : ChangeKinds.UpstreamRecovered, data.ToJsonString()).ConfigureAwait(false);
        return (true, mail.IsOn ? await MailRows.AddAsync(sql, Subject(one, step), Body(one, step)).ConfigureAwait(false) : null);
    }

    private static string Word(IncidentStep step) => step == IncidentStep.Stale ? "stale" : "failing";

    private static string Reason(Watched one, IncidentStep step) => step == IncidentStep.Stale
        ? $"its last good sync was {Span(one.Health.AgeSeconds)} ago"
        : string.Create(CultureInfo.InvariantCulture, $"{one.Health.Attempts} {(one.Health.Attempts == 1 ? "sync" : "syncs")} failed in a row: {one.LastError}");

    private static string Subject(Watched one, IncidentStep step) => step switch
    {
        IncidentStep.Failing => $"Upstream {one.Name} cannot be followed",
        IncidentStep.Stale => $"Upstream {one.Name} is stale",
        _ => $"Upstream {one.Name} is followed again",
    };

    private static string Body(Watched one, IncidentStep step)
    {
        var last = one.CheckedAt is { } at ? $"The last good sync ended at {Microseconds.Time(at).UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC." : "No sync has ended well yet.";
        return step == IncidentStep.Recovered ? $"The registry follows the upstream {one.Name} again.\n{last}\n"
            : $"The registry cannot follow the upstream {one.Name}: {Reason(one, step)}\n{last}\nWhat it has mirrored is served as it is.\n\n`pipeline upstream status {one.Name}` says more; `pipeline upstream sync {one.Name}` tries at once.\n";
    }

    private static string Span(double seconds)
    {
        var span = TimeSpan.FromSeconds(seconds);
        return span.TotalHours >= 2 ? string.Create(CultureInfo.InvariantCulture, $"{(int)span.TotalHours} hours") : string.Create(CultureInfo.InvariantCulture, $"{(int)span.TotalMinutes} minutes");
    }

    private static Watched Read(Row row) => new(
        row.Text(0),
        new UpstreamHealth(
            Math.Max(0, row.Long(1)) / (double)Microseconds.Second, row.Long(2) / (double)Microseconds.Second, row.Long(3), row.Bool(4), row.Bool(5), !row.IsNull(6), row.Bool(7)),
        row.LongOrNull(6), row.TextOrNull(8), row.LongOrNull(9));

    private sealed record Watched(string Name, UpstreamHealth Health, long? Incident, string? LastError, long? CheckedAt);
}
