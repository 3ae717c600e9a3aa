using System.Text.Json;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using Pipeline.Contracts;
using Pipeline.Contracts.Search;
using Pipeline.Registry.Bus;
using Pipeline.Registry.Changes;
using Pipeline.Registry.Database;
using Pipeline.Registry.Failures;
using Pipeline.Registry.Truth;
using Pipeline.Registry.Upstreams;

namespace Pipeline.Workers.Fetching;

/// <summary>
/// Writes down which files are kept: those that end together in one transaction, and one change for all crates whose description that brings.
/// A bulk fetch is not told crate by crate.
/// </summary>
public sealed class KeptFiles(IDatabase database, IDoorbell doorbell) : IDisposable
{
    private const int MostAtOnce = 100;

    private readonly Channel<Ended> _ended = Channel.CreateUnbounded<Ended>();
    private readonly SemaphoreSlim _writer = new(1);

    /// <summary>Writes down that a file's bytes are at its key. Returns when that is committed.</summary>
    /// <exception cref="TransientException">The database is away or busy.</exception>
    public async Task KeepAsync(WantedFile file, long size, FileMetadata? metadata, CancellationToken cancellationToken)
    {
        var ended = new Ended(file, size, metadata);
        _ended.Writer.TryWrite(ended);
        while (!ended.Written.Task.IsCompleted)
        {
            // Whoever comes first writes for all who have come meanwhile.
            await _writer.WaitAsync(cancellationToken).ConfigureAwait(false);
            try
            {
                await WriteAsync().ConfigureAwait(false);
            }
            finally
            {
                _writer.Release();
            }
        }

        await ended.Written.Task.ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public void Dispose() => _writer.Dispose();

    private async Task WriteAsync()
    {
        var batch = new List<Ended>();
        while (batch.Count < MostAtOnce && _ended.Reader.TryRead(out var ended)) batch.Add(ended);
        if (batch.Count == 0) return;
        try
        {
            var described = await database.WriteAsync(sql => WriteAsync(sql, batch)).ConfigureAwait(false);
            foreach (var ended in batch) ended.Written.TrySetResult();
            if (described) await doorbell.RingAsync(new UpdateSearch()).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            // Met again by each of those who wait.
            foreach (var ended in batch) ended.Written.TrySetException(e);
        }
    }

    private static async ValueTask<bool> WriteAsync(Statements sql, List<Ended> batch)
    {
        var described = new SortedSet<long>();
        foreach (var (file, size, metadata) in batch)
        {
            var json = metadata is null ? null : JsonSerializer.Serialize(metadata, FileMetadataJson.Default.FileMetadata);
            var kept = await sql.ExecuteAsync(
                """
                UPDATE upstream_files SET state = 'kept', size = $2, metadata = $3, kept_at = now_us(), used_at = COALESCE(used_at, now_us()), attempts = 0, last_error = NULL,
                    next_try_at = NULL, taken_by = NULL, taken_until = NULL
                WHERE object_key = $1 AND state = 'wanted'
                """,
                file.ObjectKey, size, json).ConfigureAwait(false);
            // Another process was faster.
            if (kept == 0) continue;
            await sql.ExecuteAsync("UPDATE failures SET resolved_at = now_us() WHERE stage = $1 AND key = $2 AND resolved_at IS NULL", FetchCrateDefinition.Queue, file.ObjectKey).ConfigureAwait(false);
            if (metadata is not null && await DescribeAsync(sql, file, metadata).ConfigureAwait(false)) described.Add(file.CrateId);
        }

        if (described.Count == 0) return false;
        var data = new JsonObject { ["crates"] = new JsonArray([.. described.Select(static id => (JsonNode)id)]) };
        await sql.ExecuteAsync("INSERT INTO changes (at, kind, data) VALUES (now_us(), $1, $2)", ChangeKinds.Metadata, data.ToJsonString()).ConfigureAwait(false);
        return true;
    }

    /// <summary>A crate is described by the best of its versions whose file is known: the one that would be its default.</summary>
    private static async ValueTask<bool> DescribeAsync(Statements sql, WantedFile file, FileMetadata metadata) => await sql.ExecuteAsync(
        """
        UPDATE crates SET description = $2, homepage = $3, documentation = $4, repository = $5, keywords = $6, categories = $7, metadata_rank = $8
        WHERE id = $1 AND source <> 'local' AND (metadata_rank IS NULL OR metadata_rank <= $8)
        """,
        file.CrateId, metadata.Description, metadata.Homepage, metadata.Documentation, metadata.Repository, JsonTexts.Write(metadata.Keywords), JsonTexts.Write(metadata.Categories),
        DefaultVersion.Rank(CrateVersion.Parse(file.Num, null), yanked: false)).ConfigureAwait(false) == 1;

    private sealed record Ended(WantedFile File, long Size, FileMetadata? Metadata)
    {
        public TaskCompletionSource Written { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
