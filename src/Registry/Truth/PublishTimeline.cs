using Pipeline.Contracts;
using Pipeline.Registry.Database;

namespace Pipeline.Registry.Truth;

/// <summary>One stage of a publish.</summary>
/// <param name="Stage">Its queue.</param>
/// <param name="State"><c>waiting</c>, <c>done</c>, or <c>skipped</c> when the verdict made it needless.</param>
/// <param name="StartedAt">When it began, microseconds.</param>
/// <param name="EndedAt">When it was done.</param>
public sealed record StageTimes(string Stage, string State, long? StartedAt, long? EndedAt);

/// <summary>A publish with the times of its stages, as the status URL shows it.</summary>
public sealed record PublishTimeline
{
    /// <summary>The publish.</summary>
    public required string Id { get; init; }

    /// <summary>The crate's name as submitted.</summary>
    public required string Name { get; init; }

    /// <summary>The version.</summary>
    public required string Num { get; init; }

    /// <summary>SHA-256 of the bytes received.</summary>
    public required string Checksum { get; init; }

    /// <summary>How many they are.</summary>
    public required long Size { get; init; }

    /// <summary>One of <see cref="PublishStates"/>.</summary>
    public required string State { get; init; }

    /// <summary>When the PUT began.</summary>
    public required long ReceivedAt { get; init; }

    /// <summary>When the verdict was reached.</summary>
    public long? DecidedAt { get; init; }

    /// <summary>When it is given up if undecided.</summary>
    public required long DeadlineAt { get; init; }

    /// <summary>How often the stage it waits for has failed.</summary>
    public required long Attempts { get; init; }

    /// <summary>How it failed last.</summary>
    public string? LastError { get; init; }

    /// <summary>When that stage is tried next.</summary>
    public long? NextTryAt { get; init; }

    /// <summary>The refusal, if it was refused.</summary>
    public Reject? Reject { get; init; }

    /// <summary>W3C trace context of the PUT.</summary>
    public string? TraceParent { get; init; }

    /// <summary>The crate's row that projections and purges are kept under; null: not accepted.</summary>
    public long? CrateId { get; init; }

    /// <summary>The stage that holds it, or held it when it was given up as expired; null: it was decided in time.</summary>
    public string? HeldBy { get; init; }

    /// <summary>The stages in order.</summary>
    public required IReadOnlyList<StageTimes> Stages { get; init; }

    /// <summary>When a stage was done; null: it was not.</summary>
    public long? EndOf(string stage) => Stages.FirstOrDefault(one => one.Stage == stage)?.EndedAt;

    /// <summary>Reads one; null: there is none.</summary>
    public static async ValueTask<PublishTimeline?> FindAsync(Statements sql, string id)
    {
        ArgumentNullException.ThrowIfNull(sql);
        var row = await sql.FirstAsync(
            """
            SELECT p.name, p.num, p.checksum, p.size, p.state, p.received_at, p.parked_at, p.tarball_started_at, p.tarball_done_at,
                p.manifest_started_at, p.decided_at, p.deadline_at, p.attempts, p.last_error, p.next_try_at,
                p.verdict_code, p.verdict_status, p.verdict_text, p.trace_parent,
                g.reached >= p.revision, COALESCE(h.git_at, g.reached_at), s.reached >= p.revision, COALESCE(h.sparse_at, s.reached_at), COALESCE(c.place_id, c.id)
            FROM publishes p
            LEFT JOIN crates c ON c.id = p.crate_id
            LEFT JOIN changes h ON h.crate_id = COALESCE(c.place_id, c.id) AND h.revision = p.revision
            LEFT JOIN projections g ON g.crate_id = COALESCE(c.place_id, c.id) AND g.kind = 'git' AND g.target = ''
            LEFT JOIN projections s ON s.crate_id = COALESCE(c.place_id, c.id) AND s.kind = 'sparse' AND s.target = ''
            WHERE p.id = $1
            """,
            static row => new
            {
                Name = row.Text(0),
                Num = row.Text(1),
                Checksum = row.Text(2),
                Size = row.Long(3),
                State = row.Text(4),
                ReceivedAt = row.Long(5),
                ParkedAt = row.Long(6),
                TarballStartedAt = row.LongOrNull(7),
                TarballDoneAt = row.LongOrNull(8),
                ManifestStartedAt = row.LongOrNull(9),
                DecidedAt = row.LongOrNull(10),
                DeadlineAt = row.Long(11),
                Attempts = row.Long(12),
                LastError = row.TextOrNull(13),
                NextTryAt = row.LongOrNull(14),
                Reject = row.IsNull(15) ? null : new Reject(row.Text(15), (int)row.Long(16), row.Text(17)),
                TraceParent = row.TextOrNull(18),
                GitAt = row.IsNull(19) || !row.Bool(19) ? null : row.LongOrNull(20),
                SparseAt = row.IsNull(21) || !row.Bool(21) ? null : row.LongOrNull(22),
                CrateId = row.LongOrNull(23),
            },
            id).ConfigureAwait(false);
        if (row is null) return null;

        var accepted = row.State == PublishStates.Accepted;
        return new PublishTimeline
        {
            Id = id,
            Name = row.Name,
            Num = row.Num,
            Checksum = row.Checksum,
            Size = row.Size,
            State = row.State,
            ReceivedAt = row.ReceivedAt,
            DecidedAt = row.DecidedAt,
            DeadlineAt = row.DeadlineAt,
            Attempts = row.Attempts,
            LastError = row.LastError,
            NextTryAt = row.NextTryAt,
            Reject = row.Reject,
            TraceParent = row.TraceParent,
            CrateId = row.CrateId,
            HeldBy = row.DecidedAt is not null && row.Reject?.Code != RejectCodes.Expired ? null : PublishStates.StageOf(row.TarballDoneAt is null ? PublishStates.Parked : PublishStates.Checked),
            Stages =
            [
                Times("intake", row.ReceivedAt, row.ParkedAt, needed: true),
                Times("validate-tarball", row.TarballStartedAt, row.TarballDoneAt, needed: row.DecidedAt is null || row.TarballDoneAt is not null),
                Times("read-manifest", row.ManifestStartedAt, row.DecidedAt, needed: true),
                Times("commit-index", row.DecidedAt, row.GitAt, needed: accepted || row.DecidedAt is null),
                Times("render-sparse", row.DecidedAt, row.SparseAt, needed: accepted || row.DecidedAt is null),
            ],
        };
    }

    private static StageTimes Times(string stage, long? startedAt, long? endedAt, bool needed) =>
        !needed ? new(stage, "skipped", null, null)
        : endedAt is not null ? new(stage, "done", startedAt, endedAt)
        : new(stage, "waiting", startedAt, null);
}
