using System.Net;
using System.Security.Cryptography;
using System.Text.Json;
using Pipeline.Contracts.Index;
using Pipeline.Tests.Chaos.Shapes;

namespace Pipeline.Tests.Chaos.Workload;

/// <summary>
/// Reads the index, through the cache and past it, while everything happens: what a line names must be there to download, with the right bytes,
/// at every moment (design, law 5). Its reading also fills the cache with what must be forgotten later.
/// </summary>
internal sealed class Watcher(Fleet fleet, Ledger ledger, IReadOnlyList<Step> plan, int seed)
{
    private readonly Random _random = new(seed);

    /// <summary>Files that were looked at.</summary>
    public int Looks { get; private set; }

    /// <summary>Reads until it is told to stop.</summary>
    public async Task WatchAsync(Func<int> begun, CancellationToken ended)
    {
        while (!ended.IsCancellationRequested)
        {
            await Task.Delay(_random.Next(5, 40), CancellationToken.None);
            if (begun() is not (> 0 and var count)) continue;
            // Mostly what is new: that is where something can be missing.
            var recent = Math.Max(0, Math.Min(plan.Count, count) - 1 - (_random.Next(3) == 0 ? _random.Next(count) : _random.Next(Math.Min(count, 25))));
            await LookAsync(plan[recent].Crate.Name);
        }
    }

    private async Task LookAsync(string crate)
    {
        var path = IndexPath.Of(crate);
        await GetAsync(new Uri(fleet.Edge, $"/index/{path}"));
        if (await GetAsync(new Uri($"{fleet.Url}/index/{path}")) is not (HttpStatusCode.OK, { } file)) return;
        Looks++;
        foreach (var line in System.Text.Encoding.UTF8.GetString(file).TrimEnd('\n').Split('\n'))
        {
            using var entry = JsonDocument.Parse(line);
            var (version, checksum) = (entry.RootElement.GetProperty("vers").GetString()!, entry.RootElement.GetProperty("cksum").GetString());
            var (status, bytes) = await GetAsync(new Uri($"{fleet.Url}/crates/{crate}/{crate}-{Uri.EscapeDataString(version)}.crate"));
            if (status == HttpStatusCode.NotFound) ledger.NoteWrong($"the index names {crate} {version}, and its bytes are not there");
            if (status == HttpStatusCode.OK && Convert.ToHexStringLower(SHA256.HashData(bytes!)) != checksum) ledger.NoteWrong($"the bytes of {crate} {version} are not those of its line");
        }
    }

    private async Task<(HttpStatusCode? Status, byte[]? Body)> GetAsync(Uri url)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        try
        {
            using var response = await fleet.Http.GetAsync(url, patience.Token);
            return (response.StatusCode, await response.Content.ReadAsByteArrayAsync(patience.Token));
        }
        catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException)
        {
            // An outage; what it means for publishers, the clients say.
            return (null, null);
        }
    }
}
