using System.Diagnostics;
using Pipeline.Registry.Database;
using Pipeline.Registry.Truth;

namespace Pipeline.Workers.Rebuilds;

/// <summary>How far a rebuild has got, written down twice a second: for who watches, and as the sign of life that keeps the sweep away.</summary>
public sealed class RebuildProgress
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(0.5);

    private readonly IDatabase _database;
    private readonly long _id;
    private long _noted = Stopwatch.GetTimestamp();

    private RebuildProgress(IDatabase database, RebuildRow row, long total)
    {
        _database = database;
        _id = row.Id;
        Total = total;
        Done = row.Done;
        Position = row.Position;
    }

    /// <summary>Of how many crates.</summary>
    public long Total { get; private set; }

    /// <summary>How many are done.</summary>
    public long Done { get; private set; }

    /// <summary>The last crate done for good.</summary>
    public long Position { get; private set; }

    /// <summary>Begins: the row is running.</summary>
    public static async Task<RebuildProgress> BeginAsync(IDatabase database, RebuildRow row, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(database);
        ArgumentNullException.ThrowIfNull(row);
        var total = row.Crate is not null ? 1 : await database.ReadAsync(IndexPages.CountAsync, cancellationToken).ConfigureAwait(false);
        if (row.State != RebuildStates.Swapping) await database.WriteAsync(sql => RebuildRows.EnterAsync(sql, row.Id, RebuildStates.Running), cancellationToken).ConfigureAwait(false);
        return new RebuildProgress(database, row, total);
    }

    /// <summary>Counts from the first crate again: what an attempt before had made is thrown away.</summary>
    public void Restart() => (Done, Position) = (0, 0);

    /// <summary>Some crates are done.</summary>
    /// <param name="crates">How many.</param>
    /// <param name="last">The last one's row.</param>
    public async ValueTask AddAsync(int crates, long last)
    {
        (Done, Position) = (Done + crates, last);
        if (Stopwatch.GetElapsedTime(_noted) >= Every) await NoteAsync().ConfigureAwait(false);
    }

    /// <summary>Everything is done.</summary>
    public Task EndAsync()
    {
        Total = Math.Max(Total, Done);
        return NoteAsync();
    }

    private async Task NoteAsync()
    {
        _noted = Stopwatch.GetTimestamp();
        await _database.WriteAsync(sql => RebuildRows.ProgressAsync(sql, _id, Math.Min(Done, Total), Total, Position)).ConfigureAwait(false);
    }
}
