using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;
using Pipeline.Contracts.Index;
using Pipeline.Tests.Generating;
using Pipeline.Tests.Serving;

namespace Pipeline.Tests.Flows;

/// <summary>Thousands of crates that depend on each other, published side by side.</summary>
public sealed class GeneratedGraphTests(ITestOutputHelper output)
{
    private const int Clients = 8;
    private const int Seed = 20260821;
    private const int Crates = 5000;
    private static readonly Lazy<List<GeneratedCrate>> Graph = new(() => CrateGraph.Make(Seed, Crates));
    private static readonly Lazy<ILookup<string, string>> Lines = new(() => Graph.Value.ToLookup(crate => crate.Name, crate => crate.IndexLine));

    [Fact]
    public async Task In_dependency_order_every_crate_is_taken_and_every_index_line_is_right()
    {
        await using var pipeline = await PipelineProcess.StartAsync();
        var done = Graph.Value.Select(_ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).ToArray();

        await PublishAllAsync(pipeline, Enumerable.Range(0, Graph.Value.Count), place => Task.WhenAll(Graph.Value[place].Needs.Select(other => done[other].Task)), place => done[place].SetResult());

        var files = await FilesAsync(pipeline);
        foreach (var (name, lines) in files) lines.ShouldBe(Lines.Value[name], name);
        await GitShouldHoldAsync(pipeline, files);
    }

    [Fact]
    public async Task In_any_order_every_crate_is_taken_when_an_administrator_says_that_dependencies_may_follow()
    {
        await using var pipeline = await PipelineProcess.StartAsync();
        var order = Enumerable.Range(0, Graph.Value.Count).ToArray();
        new Random(Seed).Shuffle(order);

        await PublishAllAsync(pipeline, order, _ => Task.CompletedTask, _ => { }, ("Pipeline-Allow-Missing-Dependencies", "true"));

        var files = await FilesAsync(pipeline);
        // Lines stand in the order of publication, which here is none.
        foreach (var (name, lines) in files) lines.Order().ShouldBe(Lines.Value[name].Order(), name);
        await GitShouldHoldAsync(pipeline, files);
    }

    [Fact]
    public async Task Only_an_administrator_may_say_that_dependencies_may_follow()
    {
        await using var pipeline = await InProcessPipeline.StartAsync();
        var user = await pipeline.AddUserAsync();

        var refused = await pipeline.PublishAsync(CrateFile.Body("pushy", "1.0.0", CrateFile.Plain("pushy", "1.0.0")), user.Token, ("Pipeline-Allow-Missing-Dependencies", "true"));

        refused.Status.ShouldBe(System.Net.HttpStatusCode.Forbidden);
    }

    private async Task PublishAllAsync(PipelineProcess pipeline, IEnumerable<int> order, Func<int, Task> ready, Action<int> done, params (string, string)[] headers)
    {
        var token = pipeline.Admin.Token;
        var clock = Stopwatch.StartNew();
        await Parallel.ForEachAsync(order, new ParallelOptions { MaxDegreeOfParallelism = Clients }, async (place, _) =>
        {
            var crate = Graph.Value[place];
            await ready(place);
            var reply = await pipeline.PublishAsync(crate.Body, token, headers);
            reply.IsAccepted.ShouldBeTrue($"{crate.Name} {crate.Version}: {reply.Text}");
            done(place);
        });
        output.WriteLine($"{Graph.Value.Count} versions of {Crates} crates in {clock.Elapsed.TotalSeconds:0.0} s, {Graph.Value.Count / clock.Elapsed.TotalSeconds:0}/s");
        await pipeline.SettleAsync();
        output.WriteLine($"in every index after {clock.Elapsed.TotalSeconds:0.0} s, {pipeline.ProcessorTime.TotalSeconds:0.0} s of a processor with its start");
    }

    private static async Task<ConcurrentDictionary<string, string[]>> FilesAsync(RunningPipeline pipeline)
    {
        var files = new ConcurrentDictionary<string, string[]>();
        await Parallel.ForEachAsync(Lines.Value.Select(crate => crate.Key), new ParallelOptions { MaxDegreeOfParallelism = Clients }, async (name, _) =>
            files[name] = await pipeline.IndexLinesAsync(name) ?? throw new InvalidOperationException($"{name} has no index file"));
        files.Count.ShouldBe(Crates);
        return files;
    }

    /// <summary>The git index holds the very files of the sparse index, each change of a file in one commit, and none without a change.</summary>
    private static async Task GitShouldHoldAsync(RunningPipeline pipeline, IReadOnlyDictionary<string, string[]> files)
    {
        var tree = (await pipeline.GitAsync("ls-tree", "-r", "HEAD")).Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => line.Split(' ', '\t')).Select(parts => $"{parts[3]} {parts[2]}").Where(file => !file.StartsWith("config.json ", StringComparison.Ordinal));
        tree.Order(StringComparer.Ordinal).ShouldBe(files.Select(file => $"{IndexPath.Of(file.Key)} {Blob(file.Value)}").Order(StringComparer.Ordinal));

        var trees = (await pipeline.GitAsync("log", "--reverse", "--format=%T", "HEAD")).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        trees.Zip(trees.Skip(1)).ShouldAllBe(pair => pair.First != pair.Second);
        // Changes that stood in a queue share a commit, whose message has a line for each.
        var messages = (await pipeline.GitAsync("log", "--reverse", "--format=%B", "HEAD")).Split('\n').Where(message => message.Contains(" crate `", StringComparison.Ordinal)).ToList();
        messages.Count.ShouldBeLessThanOrEqualTo(Graph.Value.Count);
        messages.Where(message => message.StartsWith("Create", StringComparison.Ordinal)).Order(StringComparer.Ordinal)
            .ShouldBe(files.Keys.Select(name => $"Create crate `{name}`").Order(StringComparer.Ordinal));
    }

    private static string Blob(string[] lines) => GitBlobId.Of(Encoding.UTF8.GetBytes(string.Concat(lines.Select(line => line + "\n"))));
}
