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

/// <summary>An upload that passed the checks of the request.</summary>
/// <param name="Name">The name as submitted.</param>
/// <param name="Version">The version.</param>
/// <param name="Caller">Who publishes.</param>
/// <param name="Claims">What is kept of the JSON.</param>
internal sealed record Upload(CrateName Name, CrateVersion Version, Caller Caller, StoredClaims Claims);

/// <summary>A publish that is kept (design, law 3).</summary>
/// <param name="Id">Its id.</param>
/// <param name="ToRing">Whether its bell is to be rung: not when the request joined a publish in flight, nor when the stage has no room.</param>
internal sealed record ParkedPublish(string Id, bool ToRing);

/// <summary>Parks an upload, in this order: its bytes to staging, its row, the bell. After the row it is answered for.</summary>
internal sealed class Intake(IDatabase database, IObjectStore store, IDoorbell doorbell, PublishOptions options)
{
    /// <summary>Parks.</summary>
    /// <exception cref="EndOfStreamException">The body ended before the tarball did; nothing is kept.</exception>
    public async Task<ParkedPublish> ParkAsync(Upload upload, Stream body, uint length, long started, CancellationToken cancellationToken)
    {
        var id = PublishId.New().ToString();
        Activity.Current?.SetPublish(id, upload.Name.Text, upload.Version.Text);
        var key = StoreKeys.Staged(id);
        using var tarball = new HashingStream(body);
        await store.CreateAsync(key, tarball, length, cancellationToken).ConfigureAwait(false);
        FaultPoints.Reach("intake.staged");

        var checksum = tarball.Finish().ToString();
        var rung = doorbell.HasRoom<ValidateTarball>();
        if (PlantedBugs.AnswerBeforeRow)
        {
            _ = PlantedBugs.LaterAsync(() => database.WriteAsync(sql => InsertAsync(sql, id, key, upload, checksum, length, started, rung), CancellationToken.None));
            return new ParkedPublish(id, rung);
        }

        // From here on the client's going away cancels nothing.
        var joined = await database.WriteAsync(sql => InsertAsync(sql, id, key, upload, checksum, length, started, rung), CancellationToken.None).ConfigureAwait(false);
        FaultPoints.Reach("intake.parked");
        if (joined is not null)
        {
            await store.DeleteAsync(key, CancellationToken.None).ConfigureAwait(false);
            return new ParkedPublish(joined, false);
        }

        return new ParkedPublish(id, rung);
    }

    /// <summary>Rings the first stage; the caller has begun to wait for the verdict before.</summary>
    public async ValueTask RingAsync(ParkedPublish publish)
    {
        if (publish.ToRing) await doorbell.RingAsync(new ValidateTarball(publish.Id)).ConfigureAwait(false);
        FaultPoints.Reach("intake.rung");
    }

    private async ValueTask<string?> InsertAsync(Statements sql, string id, string key, Upload upload, string checksum, long size, long started, bool rung)
    {
        var (canonical, numNoBuild) = (upload.Name.Canonical.Text, upload.Version.WithoutBuild);
        // One statement inserts or finds the same upload in flight: of two at once, the second waits for the first.
        var kept = await sql.TextAsync(
            """
            INSERT INTO publishes (id, canonical, name, num, num_no_build, checksum, size, user_id, token_id, claims, staging_key, state,
                rung_at, received_at, parked_at, deadline_at, trace_parent)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 'parked', CASE WHEN $12 THEN now_us() END, now_us() - $13, now_us(), now_us() + $14, $15)
            ON CONFLICT (user_id, name, num, checksum) WHERE decided_at IS NULL DO UPDATE SET state = publishes.state
            RETURNING id
            """,
            id, canonical, upload.Name.Text, upload.Version.Text, numNoBuild, checksum, size, upload.Caller.UserId, upload.Caller.TokenId,
            JsonSerializer.Serialize(upload.Claims, StoredClaimsJson.Default.StoredClaims), key, rung,
            Microseconds.Of(Stopwatch.GetElapsedTime(started)), Microseconds.Of(TimeSpan.FromHours(options.ExpireHours)), Tracing.Current()).ConfigureAwait(false);
        return kept == id ? null : kept;
    }
}
