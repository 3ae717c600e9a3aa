using Pipeline.Registry.Failures;
using Pipeline.Registry.Store;
using Pipeline.Tests.Services;

namespace Pipeline.Registry.Tests.Store;

/// <summary>A real S3 server that is killed and comes back.</summary>
public sealed class S3OutageTests
{
    [Fact]
    public async Task A_killed_server_is_away_and_once_it_is_back_everything_is_there_and_goes_on()
    {
        var cancel = TestContext.Current.CancellationToken;
        await using var services = await RealServices.StartAsync(["s3"]);
        await using var buckets = await S3Buckets.CreateAsync(services);
        using var store = new S3Store(buckets.Options with { TimeoutSeconds = 5 });
        for (var i = 0; i < 20; i++) await store.PutAsync($"index/3/k/k{i}", BitConverter.GetBytes(i), cancel);

        await services.KillAsync("s3");
        foreach (var call in new Func<Task>[] { () => store.PutAsync("index/3/k/k0", new byte[1], cancel).AsTask(), () => store.OpenAsync("index/3/k/k0", cancel).AsTask(), () => store.ProbeAsync(cancel).AsTask() })
            (await Should.ThrowAsync<TransientException>(call)).Code.ShouldBe("store-away");

        await services.RestartAsync("s3");
        await store.ProbeAsync(cancel);
        for (var i = 0; i < 20; i++)
        {
            await using var found = await store.OpenAsync($"index/3/k/k{i}", cancel);
            var bytes = new byte[4];
            await found!.Content.ReadExactlyAsync(bytes, cancel);
            BitConverter.ToInt32(bytes).ShouldBe(i);
        }

        using var content = new MemoryStream([1]);
        (await store.CreateAsync("staging/after.crate", content, 1, cancel)).ShouldBeTrue();
    }
}
