using System.Collections.Concurrent;
using Pipeline.Tests.Generating;

namespace Pipeline.Tests.Chaos.Workload;

/// <summary>What a client was told in the end.</summary>
internal enum Told
{
    /// <summary>Nothing that counts.</summary>
    Unknown,

    /// <summary>It is there.</summary>
    Accepted,

    /// <summary>It is not, and why.</summary>
    Refused,
}

/// <summary>An upload, and what its client was told.</summary>
/// <param name="Crate">The upload.</param>
/// <param name="Told">The last word.</param>
/// <param name="PublishId">The publish that the registry said it keeps, if it said so.</param>
/// <param name="Detail">The reason of a refusal.</param>
internal sealed record Upload(GeneratedCrate Crate, Told Told, string? PublishId, string? Detail);

/// <summary>What the clients were told. They write it down the moment they know it.</summary>
internal sealed class Ledger
{
    private readonly ConcurrentQueue<Upload> _uploads = [];
    private readonly ConcurrentDictionary<(string Name, string Version), bool> _yanks = new();
    private readonly ConcurrentQueue<string> _wrong = [];
    private readonly ConcurrentDictionary<string, string> _heard = new(StringComparer.Ordinal);
    private int _requests;
    private int _inFlight;
    private int _broken;
    private int _away;
    private int _yanked;
    private int _done;

    /// <summary>Every upload.</summary>
    public IReadOnlyCollection<Upload> Uploads => _uploads;

    /// <summary>The last acknowledged state of every version that was ever yanked.</summary>
    public IReadOnlyDictionary<(string Name, string Version), bool> Yanks => _yanks;

    /// <summary>What no client ought to have been told.</summary>
    public IReadOnlyCollection<string> Wrong => _wrong;

    /// <summary>Yanks and unyanks acknowledged.</summary>
    public int YankSteps => _yanked;

    /// <summary>Uploads and yanks that have come to their end.</summary>
    public int Done => Volatile.Read(ref _done);

    /// <summary>Requests sent.</summary>
    public int Requests => _requests;

    /// <summary>Requests without an answer just now.</summary>
    public int InFlight => Volatile.Read(ref _inFlight);

    /// <summary>Requests whose connection broke or that were never answered.</summary>
    public int Broken => Volatile.Read(ref _broken);

    /// <summary>Requests answered with 503.</summary>
    public int Away => Volatile.Read(ref _away);

    /// <summary>A request goes out.</summary>
    public void Sent()
    {
        Interlocked.Increment(ref _requests);
        Interlocked.Increment(ref _inFlight);
    }

    /// <summary>The last answer to each request that has not come to its end, for whoever asks what the work waits for.</summary>
    public IEnumerable<string> Heard => _heard.Select(request => $"{request.Key}: {request.Value}");

    /// <summary>A client has tried something again: what it heard the last time.</summary>
    public void NoteHeard(string request, string? answer)
    {
        if (answer is null) _heard.TryRemove(request, out _);
        else _heard[request] = answer;
    }

    /// <summary>Its answer came, or it never will.</summary>
    public void Answered(int? status)
    {
        Interlocked.Decrement(ref _inFlight);
        if (status is null) Interlocked.Increment(ref _broken);
        else if (status >= 500) Interlocked.Increment(ref _away);
    }

    /// <summary>The last word on an upload.</summary>
    public void Note(Upload upload)
    {
        _uploads.Enqueue(upload);
        Interlocked.Increment(ref _done);
    }

    /// <summary>A yank or unyank was acknowledged.</summary>
    public void NoteYank(GeneratedCrate crate, bool yanked)
    {
        _yanks[(crate.Name, crate.Version)] = yanked;
        Interlocked.Increment(ref _yanked);
        Interlocked.Increment(ref _done);
    }

    /// <summary>A client was told what it ought not to have been.</summary>
    public void NoteWrong(string what) => _wrong.Enqueue(what);
}
