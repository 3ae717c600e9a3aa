using Pipeline.Registry.Failures;
using Pipeline.Registry.Git;

namespace Pipeline.Registry.Tests.Git;

public sealed class WriterLockTests : IDisposable
{
    private static readonly CancellationToken None = TestContext.Current.CancellationToken;
    private readonly IndexFolder _index = new();

    public void Dispose() => _index.Dispose();

    [Fact]
    public async Task The_child_of_a_killed_writer_keeps_others_away_and_its_commit_is_not_lost()
    {
        using var writer = SecondProcess.Start("commit", _index.Root);
        await AppearsAsync("fed");
        writer.Kill();
        await writer.WaitForExitAsync(None);

        _index.Options = _index.Options with { LockWaitSeconds = 0.3 };
        using (var impatient = _index.Open())
            (await Should.ThrowAsync<TransientException>(() => impatient.BeginWriteAsync(None))).Code.ShouldBe("git-locked");

        _index.Options = _index.Options with { LockWaitSeconds = 60 };
        using var patient = _index.Open();
        var next = patient.BeginWriteAsync(None);
        next.IsCompleted.ShouldBeFalse();
        File.WriteAllText(Path.Combine(_index.Root, "go"), "");
        await using var session = await next;

        var (tip, _) = await session.LookUpAsync([], None);
        await session.CommitAsync(tip, [new IndexCommit("From the next", [new IndexUpsert("1/b", "b\n"u8.ToArray())], [])], None);
        _index.Messages().ShouldBe(["From a process that was killed", "From the next"]);
        _index.ShouldBeSound();
    }

    [Fact]
    public async Task A_reading_child_started_while_a_writer_works_does_not_hold_the_lock()
    {
        var path = Path.Combine(_index.Root, "lock");
        var held = await WriterLock.AcquireAsync(path, TimeSpan.Zero, None);
        await using var writer = _index.Program.StartWriter(null, ["hash-object", "--stdin"], held);
        await using var reader = _index.Program.Start(null, ["hash-object", "--stdin"]);
        held.Dispose();

        await Should.ThrowAsync<TransientException>(() => WriterLock.AcquireAsync(path, TimeSpan.Zero, None));
        writer.CloseInput();
        await writer.EndAsync(None);
        // The reader lives on. Any other child of this program holds the lock from its fork to its exec, and no longer.
        (await WriterLock.AcquireAsync(path, TimeSpan.FromSeconds(10), None)).Dispose();
    }

    [Fact]
    public async Task A_second_session_of_the_same_process_waits_for_the_first()
    {
        using var repository = _index.Open();
        var first = await repository.BeginWriteAsync(None);
        var second = repository.BeginWriteAsync(None);
        second.IsCompleted.ShouldBeFalse();
        await first.DisposeAsync();
        await (await second).DisposeAsync();
    }

    private async Task AppearsAsync(string file)
    {
        using var watch = CancellationTokenSource.CreateLinkedTokenSource(None);
        watch.CancelAfter(TimeSpan.FromSeconds(60));
        while (!File.Exists(Path.Combine(_index.Root, file))) await Task.Delay(10, watch.Token);
    }
}
