using System.Diagnostics;
using Pipeline.Tests.Generating;
using Pipeline.Tests.Serving;

namespace Pipeline.Tests.Recovery;

/// <summary>
/// The power goes: the process dies, and of what it wrote only that is left which had reached the disk. The data folder is a file system in a
/// file of its own; the disk after the cut is a copy of that file, which lacks all that the kernel still held in memory (design, law 3).
/// It needs the right to mount, as root has it.
/// </summary>
public sealed class PowerCutTests
{
    private const int Cuts = 3;
    private const int Clients = 8;

    [Fact]
    public async Task After_a_power_cut_everything_that_was_answered_is_there()
    {
        using var folder = new TempFolder();
        await using var pipeline = await PipelineProcess.StartAsync();
        var user = await pipeline.AddUserAsync();
        await pipeline.SettleAsync();
        await pipeline.KillAsync();
        await NewDiskAsync(folder["disk"], pipeline.Data);
        try
        {
            var answered = new Dictionary<string, byte[]>(StringComparer.Ordinal);
            for (var cut = 0; cut < Cuts; cut++)
            {
                await pipeline.StartAgainAsync();
                var clients = Enumerable.Range(0, Clients).Select(client => PublishUntilCutAsync(pipeline, user, $"cut{cut}-c{client}", answered)).ToList();
                await Deadline.UntilAsync(60, () =>
                {
                    lock (answered) return Task.FromResult(answered.Keys.Count(name => name.StartsWith($"cut{cut}-", StringComparison.Ordinal)) >= 3 * Clients ? null : "too little is answered yet");
                });
                await Task.Delay(Random.Shared.Next(0, 700), TestContext.Current.CancellationToken);
                await pipeline.KillAsync();
                // Before anything else: what is still in memory goes to the disk by and by.
                await RunAsync("cp", "--sparse=always", folder["disk"], folder["after"]);
                await Task.WhenAll(clients);
                await RunAsync("umount", "--lazy", pipeline.Data);
                File.Move(folder["after"], folder["disk"], overwrite: true);
                await MountAsync(folder["disk"], pipeline.Data);
            }

            await pipeline.StartAgainAsync();
            // Bytes are there before anything is served, lines as soon as they are rendered again.
            foreach (var (name, file) in answered) (await pipeline.DownloadAsync(name, "1.0.0")).ShouldBe(file, name);
            await pipeline.SettleAsync(60);
            foreach (var name in answered.Keys)
            {
                (await pipeline.IndexLinesAsync(name))!.ShouldHaveSingleItem(name).ShouldContain($"\"name\":\"{name}\"");
                (await pipeline.CommitsOfAsync(name)).ShouldHaveSingleItem(name);
            }

            await pipeline.GitAsync("fsck", "--full", "--strict");
        }
        finally
        {
            await pipeline.KillAsync();
            await RunAsync("umount", "--lazy", pipeline.Data);
            // What lies below is of before the disk, and whole: the pipeline of the end says that nothing of it is left undone.
            await pipeline.StartAgainAsync();
        }
    }

    private static async Task PublishUntilCutAsync(PipelineProcess pipeline, Account user, string prefix, Dictionary<string, byte[]> answered)
    {
        for (var i = 0; ; i++)
        {
            var name = $"{prefix}-n{i}";
            var file = CrateFile.Plain(name, "1.0.0");
            try
            {
                (await pipeline.PublishAsync(CrateFile.Body(name, "1.0.0", file), user.Token)).ShouldBeAccepted();
            }
            catch (Exception e) when (e is HttpRequestException or IOException)
            {
                return;
            }

            lock (answered) answered.Add(name, file);
        }
    }

    private static async Task NewDiskAsync(string disk, string data)
    {
        await RunAsync("truncate", "--size=512M", disk);
        await RunAsync("mkfs.ext4", "-q", disk);
        var first = disk + ".first";
        Directory.CreateDirectory(first);
        await MountAsync(disk, first);
        await RunAsync("cp", "--archive", data + "/.", first);
        await RunAsync("umount", first);
        await MountAsync(disk, data);
    }

    // The kernel would write by itself every few seconds; then less would be lost.
    private static Task MountAsync(string disk, string folder) => RunAsync("mount", "-o", "loop,commit=300", disk, folder);

    private static async Task RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        var error = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        process.ExitCode.ShouldBe(0, $"{program} {string.Join(' ', arguments)}: {error}");
    }
}
