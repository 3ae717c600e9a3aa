using System.Text.RegularExpressions;
using MassTransit;
using Pipeline.Registry.Bus.Batches;

namespace Pipeline.Workers.Tests;

public sealed partial class WorkerCatalogueTests
{
    [Fact]
    public void Every_queue_is_the_kebab_case_of_its_message()
    {
        foreach (var worker in WorkerCatalogue.All)
            worker.Stage.Queue.ShouldBe(Hump().Replace(worker.Stage.Message.Name, "-$0").ToLowerInvariant().TrimStart('-'));
    }

    [Fact]
    public void Every_consumer_is_named_after_its_message_and_stands_in_its_row_of_the_README()
    {
        var rows = File.ReadAllLines(Path.Combine(Repository(), "README.md")).Where(line => line.StartsWith("| ", StringComparison.Ordinal)).ToList();
        foreach (var worker in WorkerCatalogue.All)
        {
            worker.Consumer.Name.ShouldBe(worker.Stage.Message.Name + "Consumer");
            worker.Consumer.GetInterfaces().ShouldContain(
                one => one == typeof(IConsumer) || (one.IsGenericType && one.GetGenericTypeDefinition() == typeof(IBatchConsumer<>)), worker.Consumer.Name);
            var folder = "src/" + worker.Consumer.Namespace!["Pipeline.".Length..].Replace('.', '/');
            rows.ShouldContain(row => row.Contains($"`{worker.Stage.Queue}` | `{folder}`", StringComparison.Ordinal), worker.Stage.Queue);
        }
    }

    [Fact]
    public void The_README_has_no_queue_that_is_not_in_the_catalogue()
    {
        var queues = File.ReadAllLines(Path.Combine(Repository(), "README.md"))
            .Select(line => Row().Match(line)).Where(match => match.Success).Select(match => match.Groups["queue"].Value);

        queues.ShouldBe(WorkerCatalogue.All.Select(worker => worker.Stage.Queue));
    }

    [Fact]
    public void Every_worker_has_a_test_class()
    {
        var tests = typeof(WorkerCatalogueTests).Assembly.GetTypes().Select(type => type.Name).ToHashSet(StringComparer.Ordinal);

        WorkerCatalogue.All.Select(worker => worker.Consumer.Name + "Tests").Where(name => !tests.Contains(name)).ShouldBeEmpty();
    }

    [Fact]
    public void Every_worker_says_how_a_failure_of_it_is_replayed()
    {
        foreach (var worker in WorkerCatalogue.All)
        {
            var replay = worker.Stage.Replay.ShouldNotBeNull(worker.Stage.Queue);
            // A row that is put off must be put back; a bell that is about no row must be rung.
            (replay.ResetSql.Count > 0 || worker.Stage.DelaySql is null).ShouldBeTrue(worker.Stage.Queue);
            (replay.ResetSql.Count > 0 || replay.Ring is not null).ShouldBeTrue(worker.Stage.Queue);
            (replay.BellKey is null).ShouldBe(replay.Ring is null, worker.Stage.Queue);
        }
    }

    internal static string Repository()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Pipeline.sln"))) folder = folder.Parent;
        return folder?.FullName ?? throw new DirectoryNotFoundException("the repository's root");
    }

    [GeneratedRegex("[A-Z]")]
    private static partial Regex Hump();

    [GeneratedRegex(@"^\| [a-z ]+ \| `(?<queue>[a-z-]+)` \| `src/Workers/")]
    private static partial Regex Row();
}
