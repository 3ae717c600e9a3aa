using Pipeline.Registry.Failures;
using Pipeline.Registry.Tests.Git;

namespace Pipeline.Workers.Tests.GitIndex;

public sealed class GitIndexCrashTests : IAsyncLifetime
{
    private static readonly string[] Names = [.. Enumerable.Range(0, 30).Select(i => $"crate-{i:00}")];
    private IndexedRegistry _registry = null!;

    public async ValueTask InitializeAsync()
    {
        _registry = await IndexedRegistry.CreateAsync();
        foreach (var name in Names) await _registry.PublishAsync(name, "1.0.0");
    }

    public ValueTask DisposeAsync() => _registry.DisposeAsync();

    [Theory]
    [InlineData("git.planned")]
    [InlineData("git.committed")]
    [InlineData("git.reached")]
    public async Task A_writer_that_dies_between_two_steps_loses_and_doubles_nothing(string point)
    {
        using var writer = SecondProcess.Start("drain", _registry.Truth.Folder, _registry.Truth.Settings, ("PIPELINE_DIE_AT", point));
        await writer.WaitForExitAsync(TestContext.Current.CancellationToken);
        writer.ExitCode.ShouldBe(128 + 9);
        await EverythingIsThereOnceAsync();
    }

    [Fact]
    public async Task A_killed_writers_git_finishes_alone_and_the_next_writer_waits_for_it()
    {
        using var writer = SecondProcess.Start("drain-slowly", _registry.Truth.Folder, _registry.Truth.Settings);
        using var watch = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        watch.CancelAfter(TimeSpan.FromSeconds(60));
        while (!File.Exists(Path.Combine(_registry.Truth.Folder, "fed"))) await Task.Delay(10, watch.Token);
        writer.Kill();
        await writer.WaitForExitAsync(watch.Token);

        _registry.Index.Options = _registry.Index.Options with { LockWaitSeconds = 0.2 };
        (await Should.ThrowAsync<TransientException>(() => _registry.DrainAsync())).Code.ShouldBe("git-locked");
        _registry.Index.Options = _registry.Index.Options with { LockWaitSeconds = 60 };
        var next = EverythingIsThereOnceAsync();
        File.WriteAllText(Path.Combine(_registry.Truth.Folder, "go"), "");
        await next;
    }

    [Theory]
    [InlineData(10)]
    [InlineData(1500)]
    public async Task A_git_killed_in_mid_batch_commits_nothing_and_its_remains_are_cleared(int bytesRead)
    {
        _registry.Index.KillCommitsAfter(bytesRead);
        (await Should.ThrowAsync<TransientException>(() => _registry.DrainAsync())).Code.ShouldBe("git-away");
        (await _registry.LaggingAsync()).ShouldBe(Names.Length);
        _registry.Index.Options = _registry.Index.Options with { Program = "git" };
        await EverythingIsThereOnceAsync();
        Directory.GetFiles(_registry.Index.Repository, "fast_import_crash_*").ShouldBeEmpty();
        Directory.GetFiles(Path.Combine(_registry.Index.Repository, "objects", "pack")).ShouldAllBe(file => file.EndsWith(".pack") || file.EndsWith(".idx"));
    }

    private async Task EverythingIsThereOnceAsync()
    {
        await _registry.DrainAsync();
        (await _registry.LaggingAsync()).ShouldBe(0);
        _registry.Index.Messages().ShouldBe(Names.Select(name => $"Create crate `{name}`"));
        _registry.Index.Tree().Split('\n', StringSplitOptions.RemoveEmptyEntries).Length.ShouldBe(Names.Length);
        _registry.Index.ShouldBeSound();
    }
}
