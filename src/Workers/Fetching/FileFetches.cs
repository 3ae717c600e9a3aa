using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Pipeline.Contracts.Upstream;
using Pipeline.Registry.Bus;
using Pipeline.Registry.Database;
using Pipeline.Registry.Failures;
using Pipeline.Registry.Faults;
using Pipeline.Registry.Options;
using Pipeline.Registry.Store;

namespace Pipeline.Workers.Fetching;

/// <summary>
/// Fetches what is wanted, in its turn, some files side by side, until nothing is due: a file that hangs holds up one of the places, never the rest.
/// </summary>
public sealed class FileFetches(
    IDatabase database, IObjectStore store, FileRows rows, FileClient client, KeptFiles kept, FileEviction eviction, MirrorOptions options, FailureLog failures, Stages stages,
    TimeProvider clock, ILogger<FileFetches> logger) : IAsyncDisposable
{
    // Less than files stay taken: whoever takes them then must not be told of this fetch any more.
    private static readonly TimeSpan NotingLimit = TimeSpan.FromSeconds(120);
    private static readonly TimeSpan NotingPause = TimeSpan.FromSeconds(1);

    private readonly SemaphoreSlim _places = new(options.FileConcurrency);
    private readonly UpstreamPace _pace = new(clock);
    private readonly CancellationTokenSource _stopping = new();
    private readonly Lock _lock = new();
    private readonly HashSet<Task> _running = [];
    private Task? _loop;
    private bool _asked;

    private TimeSpan TakenFor => TimeSpan.FromSeconds(options.FileSeconds) + NotingLimit + NotingLimit;

    /// <summary>Begins to fetch what is due; when that is under way, it looks once more at its end.</summary>
    public void Begin()
    {
        lock (_lock)
        {
            if (_stopping.IsCancellationRequested) return;
            if (_loop is not null) _asked = true;
            else _loop = Task.Run(LoopAsync);
        }
    }

    /// <summary>Returns when nothing is being fetched any more.</summary>
    public async Task WhenIdleAsync()
    {
        while (true)
        {
            Task[] running;
            lock (_lock) running = _loop is null ? [.. _running] : [.. _running, _loop];
            if (running.Length == 0) return;
            await Task.WhenAll(running).ConfigureAwait(false);
        }
    }

    /// <summary>Ends what is under way; the rows say what is left.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        await WhenIdleAsync().ConfigureAwait(false);
        _stopping.Dispose();
        _places.Dispose();
    }

    private async Task LoopAsync()
    {
        do
        {
            try
            {
                while (await RoundAsync().ConfigureAwait(false))
                {
                }
            }
            catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
            {
                // The process is going down: the rows say what is left.
            }
            catch (TransientException e)
            {
                logger.LogWarning("files cannot be fetched now, the sweep rings again: {Reason}", e.Message);
            }
            catch (Exception e)
            {
                await FaultAsync(e).ConfigureAwait(false);
            }
        }
        while (!IsOver());
    }

    private bool IsOver()
    {
        lock (_lock)
        {
            if (_asked && !_stopping.IsCancellationRequested)
            {
                _asked = false;
                return false;
            }

            _loop = null;
            return true;
        }
    }

    /// <summary>Lists some crates of full mirrors and starts some files. False: there is nothing more to do.</summary>
    private async Task<bool> RoundAsync()
    {
        var listed = await database.ReadAsync(FileRows.AnyDueAsync, _stopping.Token).ConfigureAwait(false)
            ? await database.WriteAsync(FileRows.ListAsync, _stopping.Token).ConfigureAwait(false) : 0;
        // With what is kept up to the budget, a full mirror would only push out one file by the next.
        var askedOnly = await eviction.IsFullAsync(_stopping.Token).ConfigureAwait(false);
        var most = _pace.IsTrying ? 1 : options.FileConcurrency * 4;
        var files = await database.WriteAsync(sql => rows.TakeAsync(sql, most, askedOnly, _pace.Held, TakenFor), _stopping.Token).ConfigureAwait(false);
        for (var i = 0; i < files.Count; i++)
        {
            try
            {
                await _places.WaitAsync(_stopping.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                await ReleaseAsync(files.Skip(i)).ConfigureAwait(false);
                throw;
            }

            Start(files[i]);
        }

        return listed > 0 || files.Count > 0;
    }

    private void Start(WantedFile file)
    {
        lock (_lock)
        {
            var task = Task.Run(() => OneAsync(file));
            _running.Add(task);
            task.ContinueWith(
                ended =>
                {
                    lock (_lock) _running.Remove(ended);
                },
                CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }
    }

    private async Task OneAsync(WantedFile file)
    {
        try
        {
            if (_pace.Holds(file.Upstream.Name)) await ReleaseAsync([file]).ConfigureAwait(false);
            else await FetchAsync(file).ConfigureAwait(false);
        }
        catch (TransientException e)
        {
            logger.LogWarning("what became of {File} cannot be noted: {Reason}", file.ObjectKey, e.Message);
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            await ReleaseAsync([file]).ConfigureAwait(false);
        }
        finally
        {
            _places.Release();
        }
    }

    private async Task FetchAsync(WantedFile file)
    {
        var started = clock.GetTimestamp();
        FileTrouble? trouble;
        var kind = "reject";
        try
        {
            trouble = await TryAsync(file).ConfigureAwait(false);
            if (trouble is { IsFinal: false })
            {
                kind = "transient";
                _pace.Failed(file.Upstream.Name);
            }
            else
            {
                _pace.Answered(file.Upstream.Name);
            }
        }
        catch (TransientException e)
        {
            // Ours, not the upstream's; it would meet every file.
            (trouble, kind) = (new FileTrouble(e.Code, e.Message, IsFinal: false), "transient");
            _pace.Failed(file.Upstream.Name);
        }
        catch (Exception e) when (e is not OperationCanceledException || !_stopping.IsCancellationRequested)
        {
            (trouble, kind) = (new FileTrouble(e.GetType().Name, e.Message, IsFinal: true), "fault");
            logger.LogError(e, "{File} is parked", file.ObjectKey);
        }

        if (trouble is null)
        {
            logger.LogDebug("{Crate} {Version} of {Upstream} fetched in {Duration}", file.Name, file.Num, file.Upstream.Name, clock.GetElapsedTime(started));
            return;
        }

        logger.LogWarning("{Crate} {Version} of {Upstream} was not fetched: {Code}, {Reason}", file.Name, file.Num, file.Upstream.Name, trouble.Code, trouble.Text);
        TimeSpan? wait = trouble.IsFinal ? null : FetchRules.Wait(file.Attempts + 1, Random.Shared.NextDouble());
        await NoteAsync(sql => rows.FailedAsync(sql, file, kind, trouble, wait)).ConfigureAwait(false);
    }

    /// <summary>The whole way of one file: its bytes, checked, under their key, then its row. Returns why not.</summary>
    private async Task<FileTrouble?> TryAsync(WantedFile file)
    {
        var (bytes, trouble) = await client.FetchAsync(file, _stopping.Token).ConfigureAwait(false);
        if (bytes is null) return trouble;
        using (bytes)
        {
            FaultPoints.Reach("fetch.checked");
            var metadata = FetchedManifest.Read(bytes.FromStart(), file.Name, file.Num, _stopping.Token);
            await StoreAsync(file, bytes).ConfigureAwait(false);
            FaultPoints.Reach("fetch.stored");
            await kept.KeepAsync(file, bytes.Length, metadata, _stopping.Token).ConfigureAwait(false);
            eviction.Kept(bytes.Length);
        }

        return null;
    }

    /// <summary>Only bytes that were checked come here. What is at the key already is an earlier run's: looked at before it is believed.</summary>
    private async Task StoreAsync(WantedFile file, FetchedBytes bytes)
    {
        if (await store.CreateAsync(file.ObjectKey, bytes.FromStart(), bytes.Length, _stopping.Token).ConfigureAwait(false)) return;
        var found = await store.OpenAsync(file.ObjectKey, _stopping.Token).ConfigureAwait(false);
        if (found is not null)
        {
            await using (found.ConfigureAwait(false))
            {
                if (Convert.ToHexStringLower(await SHA256.HashDataAsync(found.Content, _stopping.Token).ConfigureAwait(false)) == file.Checksum) return;
            }
        }

        await store.DeleteAsync(file.ObjectKey, _stopping.Token).ConfigureAwait(false);
        if (!await store.CreateAsync(file.ObjectKey, bytes.FromStart(), bytes.Length, _stopping.Token).ConfigureAwait(false))
            throw new TransientException("file-contended", $"another process writes {file.ObjectKey}");
    }

    private async Task ReleaseAsync(IEnumerable<WantedFile> files)
    {
        string[] keys = [.. files.Select(static file => file.ObjectKey)];
        try
        {
            await database.WriteAsync(sql => rows.ReleaseAsync(sql, keys)).ConfigureAwait(false);
        }
        catch (TransientException)
        {
            // They are free when this process is gone, or the time is over.
            logger.LogWarning("{Count} files cannot be given back now", keys.Length);
        }
    }

    /// <summary>A database that is away is waited for, since nobody else may take the file for minutes.</summary>
    private async Task NoteAsync(Func<Statements, ValueTask<bool>> write)
    {
        var started = clock.GetTimestamp();
        while (true)
        {
            try
            {
                await database.WriteAsync(write).ConfigureAwait(false);
                return;
            }
            catch (TransientException) when (clock.GetElapsedTime(started) < NotingLimit)
            {
                await Task.Delay(NotingPause, clock, _stopping.Token).ConfigureAwait(false);
            }
        }
    }

    private async Task FaultAsync(Exception e)
    {
        try
        {
            await failures.RecordAsync(stages.Of(typeof(FetchCrate)), FetchCrateDefinition.Key, e).ConfigureAwait(false);
        }
        catch (TransientException away)
        {
            logger.LogError(e, "fetching failed and the failure could not be noted: {Reason}", away.Message);
        }
    }
}
