using System.Diagnostics;
using Pipeline.Registry.Tests.Git;

namespace Pipeline.Workers.Tests.GitIndex;

/// <summary>Two processes that could write one index: the database's lease says which, the lock that git's children inherit says when.</summary>
public sealed class GitIndexLeaseTests : IAsyncLifetime
{
    private static readonly CancellationToken None = TestContext.Current.CancellationToken;
    private static readonly string[] Names = [.. Enumerable.Range(0, 20).Select(i => $"crate-{i:00}")];
    private IndexedRegistry _registry = null!;

    public async ValueTask InitializeAsync()
    {
        _registry = await IndexedRegistry.CreateAsync(TimeProvider.System);
        foreach (var name in Names) await _registry.PublishAsync(name, "1.0.0");
        await _registry.Truth.ExecuteAsync("INSERT INTO processes (id, roles, started_at, seen_at) VALUES ('first', 'git', 0, 0), ('second', 'git', 0, 0)");
    }

    public ValueTask DisposeAsync() => _registry.DisposeAsync();

    [Theory]
    [InlineData(1.5, false)]
    [InlineData(600, true)]
    public async Task A_killed_holders_successor_waits_for_its_lease_and_for_its_git_and_loses_and_doubles_nothing(double leaseSeconds, bool rowIsGone)
    {
        using var holder = await StallAsync(leaseSeconds);
        holder.Kill();
        await holder.WaitForExitAsync(None);
        if (rowIsGone) await _registry.Truth.ExecuteAsync("DELETE FROM processes WHERE id = 'first'");

        using var repository = _registry.Index.Open(TimeProvider.System);
        var next = _registry.Writer(repository, "second").DrainAsync(None);
        await UntilAsync(async () => await LeaseAsync() == "second 2");
        next.IsCompleted.ShouldBeFalse("git of the killed holder still lives");
        File.WriteAllText(Path.Combine(_registry.Truth.Folder, "go"), "");

        (await next).ShouldBe(Names.Length);
        (await _registry.LaggingAsync()).ShouldBe(0);
        _registry.Index.Messages().ShouldBe(Names.Select(name => $"Create crate `{name}`"));
        _registry.Index.ShouldBeSound();
    }

    [Fact]
    public async Task While_a_holder_lives_no_other_process_writes_however_long_its_git_takes()
    {
        using var holder = await StallAsync(leaseSeconds: 1);
        using var repository = _registry.Index.Open(TimeProvider.System);
        // Longer than a lease without renewal lasts: only the holder's renewals keep the other away.
        (await _registry.Writer(repository, "second").DrainAsync(None)).ShouldBeNull();
        (await LeaseAsync()).ShouldBe("first 1");

        File.WriteAllText(Path.Combine(_registry.Truth.Folder, "go"), "");
        await holder.WaitForExitAsync(None);
        (await _registry.Writer(repository, "second").DrainAsync(None)).ShouldBe(Names.Length);
        _registry.Index.Messages().Length.ShouldBe(Names.Length);
    }

    [Fact]
    public async Task Who_has_lost_the_lease_while_git_wrote_notes_nothing_and_who_holds_it_next_finds_it_written()
    {
        _registry.Index.Options = _registry.Index.Options with { LeaseSeconds = 1 };
        var clock = new StealingClock(_registry);
        using var repository = _registry.Index.Open(clock);
        // It asks for the lease again, and gets it when the thief does not renew.
        (await _registry.Writer(repository, "first").DrainAsync(None)).ShouldBe(Names.Length);
        clock.Lagging.ShouldBe([Names.Length]);
        (await LeaseAsync()).ShouldBe("first 3");
        (await _registry.LaggingAsync()).ShouldBe(0);
        _registry.Index.Messages().Length.ShouldBe(Names.Length);
    }

    private async Task<Process> StallAsync(double leaseSeconds)
    {
        _registry.Index.Options = _registry.Index.Options with { LeaseSeconds = leaseSeconds };
        var holder = SecondProcess.Start("drain-slowly", _registry.Truth.Folder, _registry.Truth.Settings, ("LEASE_SECONDS", leaseSeconds.ToString(System.Globalization.CultureInfo.InvariantCulture)));
        await UntilAsync(() => Task.FromResult(File.Exists(Path.Combine(_registry.Truth.Folder, "fed"))));
        (await LeaseAsync()).ShouldBe("first 1");
        return holder;
    }

    private ValueTask<string?> LeaseAsync() => _registry.Truth.TextAsync("SELECT process || ' ' || fence FROM leases WHERE name = 'git-writer'");

    private static async Task UntilAsync(Func<Task<bool>> holds)
    {
        using var watch = CancellationTokenSource.CreateLinkedTokenSource(None);
        watch.CancelAfter(TimeSpan.FromSeconds(60));
        while (!await holds()) await Task.Delay(20, watch.Token);
    }

    // The committer's date is asked for once per batch: at that moment another process takes the lease.
    private sealed class StealingClock(IndexedRegistry registry) : TimeProvider
    {
        public List<long> Lagging { get; } = [];

        public override DateTimeOffset GetUtcNow()
        {
            Lagging.Add(registry.LaggingAsync().GetAwaiter().GetResult());
            registry.Truth.ExecuteAsync("UPDATE leases SET process = 'second', fence = fence + 1").AsTask().GetAwaiter().GetResult();
            return DateTimeOffset.UnixEpoch;
        }
    }
}
