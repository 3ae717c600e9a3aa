using System.Diagnostics;
using System.Text.Json;
using Pipeline.Contracts;
using Pipeline.Contracts.Publishing;
using Pipeline.Registry.Bus;
using Pipeline.Registry.Database;
using Pipeline.Registry.Faults;
using Pipeline.Registry.Identity;
using Pipeline.Registry.Options;
using Pipeline.Registry.Store;
using Pipeline.Registry.Telemetry;

namespace Pipeline.Api.Publishing;

/// <summary>An upload whose request is of the form that a publish has.</summary>
/// <param name="Attempt">Who publishes what.</param>
/// <param name="Version">The version.</param>
/// <param name="Claims">What is kept of the JSON.</param>
/// <param name="Started">The clock's timestamp at the start of the request.</param>
internal sealed record Upload(Attempt Attempt, CrateVersion Version, StoredClaims Claims, long Started);

/// <summary>A publish that is kept (design, law 3).</summary>
/// <param name="Id">Its id.</param>
/// <param name="ToRing">Whether its bell is to be rung: not when the request joined a publish in flight, nor when the stage has no room.</param>
/// <param name="Reject">Set: it is not kept, for what was true when its body began is true no more.</param>
internal sealed record ParkedPublish(string Id, bool ToRing, Reject? Reject = null);

/// <summary>
/// Parks an upload: its bytes, its row, then the bell. After the row it is answered for. Small bytes go into the row's own commit, larger ones
/// are staged in the store before it.
/// </summary>
internal sealed class Intake(IDatabase database, IObjectStore store, IDoorbell doorbell, PublishAdmission admission, PublishOptions options)
{
    /// <summary>The most bytes that are parked in the database.</summary>
    public int MostInDatabase => options.ParkInDatabaseBytes;

    /// <summary>Parks a small upload, if the rules that need the database admit it: all in one transaction.</summary>
    /// <param name="upload">Who publishes what.</param>
    /// <param name="body">The .crate.</param>
    /// <param name="isAnsweredNow">
    /// Whether the request is answered before the verdict, so that what is parked must be durable at once. Else the verdict's own commit makes it
    /// so: what an upload is answered with stands behind both.
    /// </param>
    /// <returns>The publish, or what refuses it.</returns>
    public async Task<(ParkedPublish? Parked, Admission Admission)> ParkAsync(Upload upload, byte[] body, bool isAnsweredNow)
    {
        var id = NewId(upload);
        var (checksum, claims) = (Checksum.OfContent(body).ToString(), Render(upload.Claims));
        var rung = doorbell.HasRoom<ValidateTarball>();
        var traceParent = Tracing.Current();
        if (PlantedBugs.AnswerBeforeRow)
        {
            _ = PlantedBugs.LaterAsync(() => database.WriteAsync(InsertAsync, CancellationToken.None));
            return (new ParkedPublish(id, rung), default);
        }

        // From here on the client's going away cancels nothing.
        var (admitted, joined) = isAnsweredNow
            ? await database.WriteAsync(InsertAsync, CancellationToken.None).ConfigureAwait(false)
            : await database.WriteUnsyncedAsync(InsertAsync, CancellationToken.None).ConfigureAwait(false);
        FaultPoints.Reach("intake.parked");
        if (admitted.Reject is not null) return (null, admitted);
        return (joined is null ? new ParkedPublish(id, rung) : new ParkedPublish(joined, false), admitted);

        async ValueTask<(Admission Admission, string? Joined)> InsertAsync(Statements sql)
        {
            var asked = await admission.AskAsync(sql, upload.Attempt).ConfigureAwait(false);
            if (asked.Reject is not null) return (asked, null);
            if (body.Length > asked.MaxUpload) return (new Admission(PublishEndpoint.TooLarge(asked.MaxUpload)), null);
            if (await StandsAsync(sql, upload).ConfigureAwait(false) is { } ended) return (new Admission(ended), null);
            var other = await this.InsertAsync(sql, id, upload, checksum, claims, body.Length, rung, traceParent).ConfigureAwait(false);
            if (other is null) await Registry.Truth.Publishes.ParkBodyAsync(sql, id, body).ConfigureAwait(false);
            return (asked, other);
        }
    }

    /// <summary>Parks a large upload that was admitted before its bytes were read.</summary>
    /// <exception cref="EndOfStreamException">The body ended before the tarball did; nothing is kept.</exception>
    public async Task<ParkedPublish> ParkAsync(Upload upload, HashingStream body, uint length, CancellationToken cancellationToken)
    {
        var id = NewId(upload);
        var key = StoreKeys.Staged(id);
        await store.CreateAsync(key, body, length, cancellationToken).ConfigureAwait(false);
        FaultPoints.Reach("intake.staged");

        var (checksum, claims) = (body.Finish().ToString(), Render(upload.Claims));
        var rung = doorbell.HasRoom<ValidateTarball>();
        var traceParent = Tracing.Current();
        if (PlantedBugs.AnswerBeforeRow)
        {
            _ = PlantedBugs.LaterAsync(() => database.WriteAsync(sql => InsertAsync(sql, id, upload, checksum, claims, length, rung, traceParent), CancellationToken.None));
            return new ParkedPublish(id, rung);
        }

        var parked = await database.WriteAsync(
            async sql => await StandsAsync(sql, upload).ConfigureAwait(false) is { } ended
                ? new ParkedPublish(id, false, ended)
                : await InsertAsync(sql, id, upload, checksum, claims, length, rung, traceParent).ConfigureAwait(false) is { } joined ? new ParkedPublish(joined, false) : new ParkedPublish(id, rung),
            CancellationToken.None).ConfigureAwait(false);
        FaultPoints.Reach("intake.parked");
        if (parked.Id != id || parked.Reject is not null) await store.DeleteAsync(key, CancellationToken.None).ConfigureAwait(false);
        return parked;
    }

    /// <summary>Rings the first stage; the caller has begun to wait for the verdict before.</summary>
    public async ValueTask RingAsync(ParkedPublish publish)
    {
        if (publish.ToRing) await doorbell.RingAsync(new ValidateTarball(publish.Id)).ConfigureAwait(false);
        FaultPoints.Reach("intake.rung");
    }

    private static string NewId(Upload upload)
    {
        var id = PublishId.New().ToString();
        Activity.Current?.SetPublish(id, upload.Attempt.Name.Text, upload.Version.Text);
        return id;
    }

    private static string Render(StoredClaims claims) => JsonSerializer.Serialize(claims, StoredClaimsJson.Default.StoredClaims);

    // The body may have taken hours: who was admitted is judged as they stand now.
    private static ValueTask<Reject?> StandsAsync(Statements sql, Upload upload) =>
        StandingRight.ToPublishAsync(sql, upload.Attempt.Caller, upload.Attempt.Name, upload.Attempt.AllowMissing);

    private async ValueTask<string?> InsertAsync(Statements sql, string id, Upload upload, string checksum, string claims, long size, bool rung, string traceParent)
    {
        var ((name, caller, _, _), version) = (upload.Attempt, upload.Version);
        // One statement inserts or finds the same upload in flight: of two at once, the second waits for the first.
        var kept = await sql.TextAsync(
            """
            INSERT INTO publishes (id, canonical, name, num, num_no_build, checksum, size, user_id, token_id, claims, staging_key, state,
                rung_at, received_at, parked_at, deadline_at, trace_parent)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 'parked', CASE WHEN $12 THEN now_us() END, now_us() - $13, now_us(), now_us() + $14, $15)
            ON CONFLICT (user_id, name, num, checksum) WHERE decided_at IS NULL DO UPDATE SET state = publishes.state
            RETURNING id
            """,
            id, name.Canonical.Text, name.Text, version.Text, version.WithoutBuild, checksum, size, caller.UserId, caller.TokenId,
            claims, StoreKeys.Staged(id), rung,
            Microseconds.Of(Stopwatch.GetElapsedTime(upload.Started)), Microseconds.Of(TimeSpan.FromHours(options.ExpireHours)), traceParent).ConfigureAwait(false);
        return kept == id ? null : kept;
    }
}
