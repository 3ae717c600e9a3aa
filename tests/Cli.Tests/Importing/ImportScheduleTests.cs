using FsCheck;
using FsCheck.Fluent;
using Pipeline.Cli.Importing;

namespace Pipeline.Cli.Tests.Importing;

public class ImportScheduleTests
{
    [Fact]
    public async Task A_crate_comes_after_those_it_depends_on_and_after_its_own_lower_versions()
    {
        var order = await DrainAsync(ImportSchedule.ByDependency(
        [
            Item("app", "1.0.0", "lib", "Base_x"), Item("lib", "1.10.0", "base-x"), Item("lib", "1.9.0"), Item("base-x", "0.1.0"), Item("alone", "1.0.0"),
        ]));
        order.ShouldBe(["lib-1.9.0", "base-x-0.1.0", "alone-1.0.0", "app-1.0.0", "lib-1.10.0"]);
    }

    [Fact]
    public async Task In_the_order_given_nothing_waits()
    {
        var order = await DrainAsync(ImportSchedule.AsGiven([Item("b", "1.0.0", "a"), Item("a", "1.0.0")]));
        order.ShouldBe(["b-1.0.0", "a-1.0.0"]);
    }

    [Fact]
    public async Task A_circle_is_broken_where_only_tests_close_it()
    {
        var order = await DrainAsync(ImportSchedule.ByDependency(
            [Item("derive", "1.0.0") with { Requires = ["core"] }, Item("core", "1.0.0") with { RequiresForTests = ["derive"] }]));
        order.ShouldBe(["core-1.0.0", "derive-1.0.0"]);
    }

    [Fact]
    public async Task A_circle_of_real_dependencies_ends_too()
    {
        var order = await DrainAsync(ImportSchedule.ByDependency([Item("a", "1.0.0", "b"), Item("b", "1.0.0", "a"), Item("c", "1.0.0", "c")]));
        order.ShouldBe(["c-1.0.0", "a-1.0.0", "b-1.0.0"]);
    }

    [Fact]
    public async Task What_waits_goes_on_when_that_is_done_and_not_before()
    {
        var schedule = ImportSchedule.ByDependency([Item("a", "1.0.0"), Item("b", "1.0.0", "a")]);
        var first = await schedule.NextAsync(TestContext.Current.CancellationToken);
        var second = schedule.NextAsync(TestContext.Current.CancellationToken).AsTask();
        second.IsCompleted.ShouldBeFalse();
        schedule.Finished(first!);
        (await second)!.Name.ShouldBe("b");
        (await schedule.NextAsync(TestContext.Current.CancellationToken)).ShouldBeNull();
    }

    [Fact]
    public void Whatever_depends_on_whatever_each_file_is_handed_out_once() => Prop.ForAll(
        Gen.Choose(0, 7).ListOf().ListOf().Where(crates => crates.Count <= 8).ToArbitrary(),
        crates =>
        {
            var items = crates.Select((needs, i) => Item($"c{i}", "1.0.0", [.. needs.Select(need => $"c{need}")])).ToList();
            DrainAsync(ImportSchedule.ByDependency(items), workers: 3).GetAwaiter().GetResult()
                .ShouldBe(items.Select(item => item.Path), ignoreOrder: true);
        }).QuickCheckThrowOnFailure();

    private static ImportItem Item(string name, string version, params string[] requires) => new($"{name}-{version}", name, version, requires, []);

    private static async Task<IEnumerable<string>> DrainAsync(ImportSchedule schedule, int workers = 1)
    {
        var order = new System.Collections.Concurrent.ConcurrentQueue<string>();
        await Task.WhenAll(Enumerable.Range(0, workers).Select(_ => Task.Run(async () =>
        {
            while (await schedule.NextAsync(TestContext.Current.CancellationToken) is { } item)
            {
                order.Enqueue(item.Path);
                schedule.Finished(item);
            }
        })));
        return order;
    }
}
