using System.Text;
using Microsoft.Extensions.Configuration;
using Pipeline.Registry.Failures;
using Pipeline.Registry.Git;
using Pipeline.Tests.Services;

namespace Pipeline.Workers.Tests.GitIndex;

/// <summary>Real servers: sshd with a key, nginx with git's http-backend behind a password and a certificate of its own authority.</summary>
public sealed class GitRemoteTransportTests : IAsyncLifetime
{
    private IndexedRegistry _registry = null!;

    public async ValueTask InitializeAsync() => _registry = await IndexedRegistry.CreateAsync();

    public ValueTask DisposeAsync() => _registry.DisposeAsync();

    [Theory]
    [InlineData("gitssh")]
    [InlineData("githttps")]
    public async Task Batches_are_pushed_others_commits_are_built_upon_and_an_outage_is_waited_out(string service)
    {
        await using var server = await StartAsync(service);
        var remote = new BareRemote(_registry.Truth.Folder, Path.Combine(server.Folder, service, "index.git"));
        await _registry.PublishAsync(["one", "two"]);
        (await _registry.DrainAsync()).ShouldBe(2);
        remote.Edit("By hand", ("config.json", "{}\n"));
        await _registry.PublishAsync("three", "1.0.0");
        (await _registry.DrainAsync()).ShouldBe(1);
        remote.Messages().ShouldBe(["Create crate `one`", "Create crate `two`", "By hand", "Create crate `three`"]);

        await server.KillAsync(service);
        await _registry.PublishAsync("seven", "1.0.0");
        (await Should.ThrowAsync<TransientException>(() => _registry.DrainAsync())).Code.ShouldBe("git-remote-away");
        await server.RestartAsync(service);
        (await _registry.DrainAsync()).ShouldBe(1);
        remote.Messages()[^1].ShouldBe("Create crate `seven`");
        remote.ShouldBeSound();
    }

    [Fact]
    public async Task A_large_batch_goes_over_https_in_one_stream()
    {
        await using var server = await StartAsync("githttps");
        var random = new Random(1);
        var noise = new byte[20_000];
        for (var i = 0; i < 200; i++)
        {
            random.NextBytes(noise);
            await _registry.PublishAsync($"crate-{i:000}", "1.0.0", head: $"{{\"noise\":\"{Convert.ToBase64String(noise)}\",\"yanked\":");
        }

        (await _registry.DrainAsync()).ShouldBe(200);
        new BareRemote(_registry.Truth.Folder, Path.Combine(server.Folder, "githttps", "index.git")).Messages().ShouldBe(["Change 200 crates"]);
    }

    [Fact]
    public async Task A_wrong_password_is_refused_and_stands_in_no_error_no_argument_and_no_file()
    {
        const string Secret = "marked-s3cret/+ %";
        await using var server = await StartAsync("githttps");
        _registry.Index.NoteWhatGitIsTold();
        _registry.Index.Options = _registry.Index.Options with { RemotePassword = new(Secret) };
        await _registry.PublishAsync("one", "1.0.0");
        var refused = await Should.ThrowAsync<TransientException>(() => _registry.DrainAsync());
        refused.Code.ShouldBe("git-remote-denied");

        // The child alone knows it, from its environment.
        (await File.ReadAllTextAsync(Path.Combine(_registry.Truth.Folder, "environment"))).ShouldContain(Secret);
        File.Delete(Path.Combine(_registry.Truth.Folder, "environment"));
        foreach (var form in (string[])[Secret, Uri.EscapeDataString(Secret), Convert.ToBase64String(Encoding.UTF8.GetBytes($"pipeline:{Secret}"))])
        {
            refused.ToString().ShouldNotContain(form);
            foreach (var file in Directory.EnumerateFiles(_registry.Truth.Folder, "*", SearchOption.AllDirectories))
                (await File.ReadAllBytesAsync(file)).AsSpan().IndexOf(Encoding.UTF8.GetBytes(form)).ShouldBe(-1, file);
        }
    }

    [Theory]
    [InlineData("githttps")]
    [InlineData("gitssh")]
    public async Task A_server_that_is_not_the_one_we_know_gets_no_password_and_no_commit(string service)
    {
        await using var server = await StartAsync(service);
        await using var other = await StartAsync(service);
        _registry.Index.Options = service == "gitssh"
            ? _registry.Index.Options with { SshKnownHosts = Path.Combine(server.Folder, service, "known_hosts") }
            : _registry.Index.Options with { RemoteCaFile = Path.Combine(server.Folder, service, "ca.pem") };
        await _registry.PublishAsync("one", "1.0.0");
        var refused = await Should.ThrowAsync<TransientException>(() => _registry.DrainAsync());
        refused.Message.ShouldContain(service == "gitssh" ? "Host key verification failed" : "certificate");
        IndexFolderGit(Path.Combine(other.Folder, service, "index.git")).ShouldBeEmpty();
    }

    private static string IndexFolderGit(string repository) => Pipeline.Registry.Tests.Git.IndexFolder.RunGit("--git-dir", repository, "for-each-ref");

    /// <summary>Starts a server and configures the index for it by what it exports, as a process would be.</summary>
    private async Task<RealServices> StartAsync(string service)
    {
        var server = await RealServices.StartAsync([service]);
        var exported = server.Environment.ToDictionary(variable => variable.Key["PIPELINE__".Length..].Replace("__", ":", StringComparison.Ordinal), variable => (string?)variable.Value);
        var given = new ConfigurationBuilder().AddInMemoryCollection(exported).Build().GetSection("GitIndex").Get<GitIndexOptions>(binder => binder.ErrorOnUnknownConfiguration = true)!;
        _registry.Index.Options = given with { RepositoryPath = _registry.Index.Repository, GatherSeconds = 0, LockWaitSeconds = 60 };
        return server;
    }
}
