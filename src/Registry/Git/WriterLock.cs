using Pipeline.Registry.Failures;
using Pipeline.Registry.Posix;

namespace Pipeline.Registry.Git;

/// <summary>
/// The one writer's lock: an OS lock (<c>flock</c>) on a file beside the repository. Git's writing children inherit it, so it ends only when
/// the holder and all its children have ended: a killed holder's child that still writes keeps every other writer away.
/// </summary>
public sealed class WriterLock : IDisposable
{
    private const double FirstDelay = 5;
    private const double LongestDelay = 250;

    private int _descriptor;

    private WriterLock(int descriptor) => _descriptor = descriptor;

    /// <summary>The lock's descriptor, for a child to inherit.</summary>
    internal int Descriptor => _descriptor >= 0 ? _descriptor : throw new ObjectDisposedException(nameof(WriterLock));

    /// <summary>Takes the lock, waiting up to a limit.</summary>
    /// <exception cref="TransientException">Another writer still holds it.</exception>
    public static async Task<WriterLock> AcquireAsync(string path, TimeSpan wait, CancellationToken cancellationToken)
    {
        var until = Environment.TickCount64 + (long)wait.TotalMilliseconds;
        for (var delay = FirstDelay; ; delay = Math.Min(delay * 2, LongestDelay))
        {
            if (Libc.TryLock(path) is { } descriptor) return new WriterLock(descriptor);
            if (Environment.TickCount64 + delay > until) throw new TransientException("git-locked", $"another writer of the git index has not ended within {wait.TotalSeconds:0.#} s");
            await Task.Delay(TimeSpan.FromMilliseconds(delay), cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Gives up this process's share. Only closed, never unlocked: a child that lives on must keep the lock.</summary>
    public void Dispose()
    {
        var descriptor = Interlocked.Exchange(ref _descriptor, -1);
        if (descriptor >= 0) Libc.Close(descriptor);
    }
}
